import { connect, type Socket } from 'node:net'
import { serveOrders } from './child.ts'
import { type LoadOrder, type LoadResult, requestBody } from './load.ts'

/** Plain sockets instead of `fetch`: the load must cost little next to what it measures. */
function requestBytes({ serverName, port }: LoadOrder, index: number): string {
  const body = requestBody(serverName, index)
  return `POST /get_token HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function isComplete(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd))?.[1]
  if (length === undefined) return received.endsWith('0\r\n\r\n')
  return received.length >= headEnd + 4 + Number(length)
}

function exchange(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    function onData(chunk: Buffer): void {
      received += chunk.toString('latin1')
      if (isComplete(received)) finish(() => resolve(received))
    }
    function onClose(): void {
      finish(() => reject(new Error('the connection was closed')))
    }
    function finish(settle: () => void): void {
      socket.off('data', onData).off('close', onClose)
      settle()
    }
    socket.on('data', onData).once('close', onClose)
    socket.write(request)
  })
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => resolve(socket)).once('error', reject)
  })
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const latenciesUs: number[] = []
  const startedAt = performance.now()
  const end = order.first + order.count
  let next = order.first
  let error: string | undefined

  async function work(): Promise<void> {
    const socket = await open(order.port)
    while (next < end && error === undefined) {
      const sentAt = performance.now()
      if (sentAt - startedAt > order.limitMs) break
      const request = requestBytes(order, next)
      next += 1
      const answer = await exchange(socket, request)
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
