import { Elysia } from 'elysia'

/** `GET` and `HEAD /healthz`: 200 while the process serves. */
export function healthRoutes() {
  const detail = {
    tags: ['Operation'],
    summary: 'Health check',
    description: 'Answers 200 with an empty body while the process serves.',
    responses: { 200: { description: 'The service is up.' } },
  }
  const healthy = () => new Response(null, { status: 200 })

  return new Elysia({ name: 'health' })
    .get('/healthz', healthy, { detail })
    .head('/healthz', healthy, { detail: { ...detail, operationId: 'headHealthz' } })
}
