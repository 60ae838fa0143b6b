import { createServer, type TLSSocket } from 'node:tls'

/**
 * A program: HTTPS servers whose answers have no end. `CERTIFICATE` and `KEY` are PEM; it prints the
 * ports as JSON.
 */

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const FLOODS = [
  { head: `${CHUNKED}1;`, more: 'x'.repeat(65_536) },
  { head: `${CHUNKED}0\r\n`, more: `A: ${'b'.repeat(1_000)}\r\n`.repeat(64) },
  { head: '', more: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2_500) },
]

function pour(socket: TLSSocket, more: string): void {
  while (!socket.destroyed && socket.write(more)) {}
}

async function listen(head: string, more: string): Promise<number> {
  const { CERTIFICATE: cert = '', KEY: key = '' } = process.env
  const server = createServer({ cert, key }, (socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('drain', () => pour(socket, more))
    socket.once('data', () => {
      socket.write(head)
      pour(socket, more)
    })
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const ports = await Promise.all([...FLOODS, ...FLOODS].map(({ head, more }) => listen(head, more)))
process.stdout.write(`${JSON.stringify(ports)}\n`)
