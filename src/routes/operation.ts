import { Elysia } from 'elysia'

/** Whether this replica should get requests, and what is wrong with it. */
export interface Readiness {
  /** `degraded`: something is wrong that another replica could not do better. */
  readonly status: 'ready' | 'degraded' | 'unready'
  readonly reasons: readonly string[]
}

/** Options of {@link operationRoutes}. */
export interface OperationRoutesOptions {
  readonly readiness: () => Promise<Readiness>
  readonly metrics: {
    render(): Promise<string>
    readonly contentType: string
  }
}

/** The endpoints of the metrics listener: `/metrics`, `/readyz` and `/healthz`. */
export function operationRoutes({ readiness, metrics }: OperationRoutesOptions) {
  return new Elysia({ name: 'operation', handler: { standardHostname: false } })
    .onError(({ code }) => {
      const status = code === 'NOT_FOUND' ? 404 : 500
      return new Response(status === 404 ? 'not found\n' : 'internal error\n', { status })
    })
    .get('/metrics', async function answerMetrics() {
      const headers = { 'content-type': metrics.contentType }
      return new Response(await metrics.render(), { headers })
    })
    .get('/readyz', async function answerReadiness() {
      const found = await readiness()
      return Response.json(found, { status: found.status === 'unready' ? 503 : 200 })
    })
    .get('/healthz', () => new Response(null, { status: 200 }))
}
