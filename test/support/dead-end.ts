import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

/** An address that leads nowhere. */
export interface DeadEnd {
  readonly hostname: string
  readonly port: number
  /** Connections accepted so far. */
  connections(): number
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Accepts TCP connections and never says a word, so that a TLS handshake hangs. */
export async function startSilentListener(hostname = '127.0.0.1', port = 0): Promise<DeadEnd> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.resume()
  })
  server.listen(port, hostname)
  await once(server, 'listening')
  const listening = (server.address() as AddressInfo).port

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    hostname,
    port: listening,
    connections: () => connections,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A port on which nothing listens: connecting is refused. */
export async function findClosedPort(hostname = '127.0.0.1'): Promise<number> {
  return freePort(hostname)
}
