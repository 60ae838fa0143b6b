import { Elysia, t } from 'elysia'
import { allowOnly, HIDDEN } from '../http/methods.ts'

/** `GET` and `HEAD /healthz`: 200 while the process serves. */
export function healthRoutes() {
  const detail = {
    tags: ['Operation'],
    summary: 'Tells whether the service is up',
    description: 'Answers 200 with an empty body while the process serves.',
  }
  const healthy = () => new Response(null, { status: 200 })
  const response = t.Void({ description: 'The service is up.' })

  return new Elysia({ name: 'health' })
    .get('/healthz', healthy, { response, detail })
    .head('/healthz', healthy, { response, detail: { ...detail, operationId: 'headHealthz' } })
    .all('/healthz', allowOnly('GET, HEAD'), HIDDEN)
}
