import type { Socket } from 'node:net'
import { serveOrders } from './child.ts'
import { exchangeOver, openSocket, postBytes } from './http-socket.ts'
import { type LoadOrder, type LoadResult, requestBody, requestHeaders } from './load.ts'

const path = '/get_token'

async function run({ port, serverName, ...order }: LoadOrder): Promise<LoadResult> {
  const latenciesUs: number[] = []
  const opening = Array.from({ length: order.connections }, () => openSocket(port))
  const sockets = await Promise.all(opening)
  const startedAt = performance.now()
  const end = order.first + order.count
  let next = order.first
  let error: string | undefined

  async function work(socket: Socket): Promise<void> {
    while (next < end && error === undefined) {
      const sentAt = performance.now()
      if (sentAt - startedAt > order.limitMs) break
      const body = requestBody(serverName, next, order.room)
      const headers = requestHeaders(next, order.clients)
      next += 1
      const answer = await exchangeOver(socket, postBytes({ port, path, headers, body }))
      if (!answer.startsWith('HTTP/1.1 200 ') || !answer.includes('"jwt"')) {
        error ??= answer.slice(0, 1_000)
        break
      }
      latenciesUs.push(Math.round((performance.now() - sentAt) * 1_000))
    }
  }

  const workers = sockets.map((socket) =>
    work(socket).catch((cause: unknown) => {
      error ??= String(cause)
    }),
  )
  await Promise.all(workers)
  const elapsedMs = performance.now() - startedAt
  for (const socket of sockets) socket.destroy()
  return { tokens: latenciesUs.length, elapsedMs, latenciesUs, ...(error && { error }) }
}

serveOrders(run)
