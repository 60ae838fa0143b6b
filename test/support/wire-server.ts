import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import * as tls from 'node:tls'
import type { Certificate } from './certificates.ts'
import { type Answer, act, reply } from './misbehaviour.ts'

/** One request as it came over the wire. */
export interface WireRequest {
  readonly method: string
  /** Still percent-encoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers
  /** The `Host` header, empty when there was none. */
  readonly host: string
  /** The server name of the TLS handshake, when the client sent one. */
  readonly sni: string | undefined
  readonly body: Uint8Array
  readonly remotePort: number
  /** Number of the connection, counted from 1. */
  readonly connection: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Decides what to do with a request; a test may hold it back by resolving late. */
export type Handler = (request: WireRequest) => Answer | Promise<Answer>

/** Where to listen, and with which certificate; without one the server speaks plain HTTP. */
export interface ListenOptions {
  readonly certificate?: Certificate
  /** An address of this machine, `127.0.0.1` unless given. */
  readonly hostname?: string
  /** The system picks one unless given. */
  readonly port?: number
}

/** An HTTP/1.1 server that owns its bytes, so that it can misbehave in every way. */
export interface WireServer {
  readonly hostname: string
  readonly port: number
  /** `host:port`, IPv6 in brackets. */
  readonly address: string
  /** `http://` or `https://` with {@link address}. */
  readonly url: string
  /** Every complete request so far, in order. */
  readonly requests: WireRequest[]
  /** Connections accepted so far; over TLS, those whose handshake succeeded. */
  connections(): number
  /** Closes the port and every connection. */
  close(): Promise<void>
}

interface Parsed {
  readonly method: string
  readonly target: string
  readonly headers: Headers
  readonly body: Buffer
  readonly rest: Buffer
}

function parseHead(head: string): Omit<Parsed, 'body' | 'rest'> {
  const [requestLine = '', ...lines] = head.split('\r\n')
  const [method = '', target = ''] = requestLine.split(' ')
  const headers = new Headers()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  return { method, target, headers }
}

function parseChunked(bytes: Buffer): { body: Buffer; rest: Buffer } | undefined {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return undefined
    if (size === 0) return { body: Buffer.concat(chunks), rest: bytes.subarray(end + 2) }
    chunks.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
  }
}

/** The first request of the bytes received, or nothing while it is not complete. */
function parseRequest(bytes: Buffer): Parsed | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const head = parseHead(bytes.toString('latin1', 0, headEnd))
  const after = bytes.subarray(headEnd + 4)
  if (head.headers.get('transfer-encoding') === 'chunked') {
    const chunked = parseChunked(after)
    return chunked && { ...head, ...chunked }
  }
  const length = Number(head.headers.get('content-length') ?? 0)
  if (after.length < length) return undefined
  return { ...head, body: after.subarray(0, length), rest: after.subarray(length) }
}

function sniOf(socket: Socket): string | undefined {
  const name: unknown = Reflect.get(socket, 'servername')
  return typeof name === 'string' && name !== '' ? name : undefined
}

function toRequest(parsed: Parsed, socket: Socket, connection: number): WireRequest {
  const url = new URL(parsed.target, 'http://stand-in.invalid')
  return {
    method: parsed.method,
    path: parsed.target.split('?', 1)[0] ?? '',
    query: url.searchParams,
    headers: parsed.headers,
    host: parsed.headers.get('host') ?? '',
    sni: sniOf(socket),
    body: new Uint8Array(parsed.body),
    remotePort: socket.remotePort ?? 0,
    connection,
    at: Date.now(),
  }
}

function failed(error: unknown): Answer {
  process.stderr.write(`stand-in: ${error instanceof Error ? error.stack : String(error)}\n`)
  return reply(500, { errcode: 'M_UNKNOWN', error: 'The stand-in itself failed' })
}

/** Starts a server that records requests and does with each what the handler says. */
export async function startWireServer(
  options: ListenOptions,
  handler: Handler,
): Promise<WireServer> {
  const { certificate, hostname = '127.0.0.1' } = options
  const requests: WireRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0

  function track(socket: Socket): void {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }

  function serve(socket: Socket): void {
    connections += 1
    const connection = connections
    track(socket)
    let received: Buffer = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      for (let parsed = parseRequest(received); parsed; parsed = parseRequest(received)) {
        received = parsed.rest
        const request = toRequest(parsed, socket, connection)
        requests.push(request)
        Promise.resolve(request)
          .then(handler)
          .catch(failed)
          .then((answer) => act(socket, answer))
      }
    })
  }

  const server = certificate
    ? tls.createServer({ cert: certificate.certPem, key: certificate.keyPem }, serve)
    : createServer(serve)
  // Over TLS this is the socket underneath, which may never get as far as a handshake.
  server.on('connection', track)
  server.on('tlsClientError', () => {})
  server.listen(options.port ?? 0, hostname)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const address = hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`

  return {
    hostname,
    port,
    address,
    url: `${certificate ? 'https' : 'http'}://${address}`,
    requests,
    connections: () => connections,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
