import { serveOrders } from './child.ts'
import { exchangeOver, openSocket, postBytes } from './http-socket.ts'
import { type LoadOrder, type LoadResult, requestBody } from './load.ts'

async function run({ port, serverName, ...order }: LoadOrder): Promise<LoadResult> {
  const latenciesUs: number[] = []
  const startedAt = performance.now()
  const end = order.first + order.count
  let next = order.first
  let error: string | undefined

  async function work(): Promise<void> {
    const socket = await openSocket(port)
    while (next < end && error === undefined) {
      const sentAt = performance.now()
      if (sentAt - startedAt > order.limitMs) break
      const body = requestBody(serverName, next)
      next += 1
      const answer = await exchangeOver(socket, postBytes({ port, path: '/get_token', body }))
      if (!answer.startsWith('HTTP/1.1 200 ') || !answer.includes('"jwt"')) {
        error ??= answer.slice(0, 1_000)
        break
      }
      latenciesUs.push(Math.round((performance.now() - sentAt) * 1_000))
    }
    socket.destroy()
  }

  const workers = Array.from({ length: order.connections }, () =>
    work().catch((cause: unknown) => {
      error ??= String(cause)
    }),
  )
  await Promise.all(workers)
  const elapsedMs = performance.now() - startedAt
  return { tokens: latenciesUs.length, elapsedMs, latenciesUs, ...(error && { error }) }
}

serveOrders(run)
