import { connect, type Socket } from 'node:net'

/** One request, ready to be written. */
export interface PostRequest {
  readonly port: number
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** The bytes of a `POST` request to 127.0.0.1, over a connection that stays open. */
export function postBytes({ port, path, headers = {}, body }: PostRequest): string {
  const fields = {
    Host: `127.0.0.1:${port}`,
    'Content-Type': 'application/json',
    ...headers,
    'Content-Length': String(Buffer.byteLength(body)),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Opens a connection to 127.0.0.1. */
export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => resolve(socket)).once('error', reject)
  })
}

function isComplete(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd))?.[1]
  if (length === undefined) return received.endsWith('0\r\n\r\n')
  return received.length >= headEnd + 4 + Number(length)
}

/**
 * Writes one request and gives all of the answer, its head included. Plain sockets instead of
 * `fetch`: the load must cost little next to what it measures.
 */
export function exchangeOver(socket: Socket, request: string): Promise<string> {
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
