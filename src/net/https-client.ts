import * as tls from 'node:tls'
import type { AddressClient, CertificateChecks, Endpoint } from './address-client.ts'
import { type Call, requestHeaders } from './bounded-fetch.ts'
import { HttpsConnection, StaleConnection } from './https-connection.ts'

/** Settings of {@link createHttpsClient}. */
export interface HttpsClientOptions extends CertificateChecks {
  /** How long an idle connection is kept. */
  readonly idleMs?: number
  /** How many idle connections are kept in total. */
  readonly maxIdle?: number
}

const IDLE_MS = 20_000
const MAX_IDLE = 256

/** The name is part of the key: a certificate checked for one name proves nothing about another. */
function keyOf({ address, port, tlsServerName }: Endpoint): string {
  return `${address} ${port} ${tlsServerName}`
}

/** A path, perhaps with a query, that a URL leaves as it is. In the path `%2e` would count as a dot. */
const PLAIN_PATH = /^(?:\/[\w~:@$!*-]+)+\/?(?:\?[\w~%:@$!*/.&=+-]+)?$/

/** Normalises a path as in any URL: resolves dots and encodes invalid characters. */
export function normalisedPath(path: string): string {
  if (PLAIN_PATH.test(path)) return path
  const { pathname, search } = new URL(`https://localhost${path}`)
  return pathname + search
}

function fieldsOf(headers: Readonly<Record<string, string>>): string {
  let fields = ''
  for (const name in headers) fields += `${name}: ${headers[name]}\r\n`
  return fields
}

/** Of most requests: those with neither a body nor a token. */
const PLAIN_FIELDS = fieldsOf(requestHeaders({}))

function toWire({ hostHeader }: Endpoint, call: Call): string {
  const { method, body, accessToken } = call
  const isPlain = body === undefined && accessToken === undefined
  const fields = isPlain ? PLAIN_FIELDS : fieldsOf(requestHeaders(call))
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  const start = `${method} ${normalisedPath(call.path)} HTTP/1.1\r\nHost: ${hostHeader}\r\n`
  return `${start}${fields}${length}\r\n${body ?? ''}`
}

/** Idle connections by endpoint. */
class IdleConnections {
  readonly #idleMs: number
  readonly #max: number
  /** When each became idle, by a monotonic clock; in that order. */
  readonly #since = new Map<HttpsConnection, number>()
  readonly #byKey = new Map<string, HttpsConnection[]>()
  /** One for all: a timer for each would be set and cleared with every request. */
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(idleMs: number, max: number) {
    this.#idleMs = idleMs
    this.#max = max
  }

  put(key: string, connection: HttpsConnection): void {
    this.#since.set(connection, performance.now())
    const alike = this.#byKey.get(key)
    if (alike === undefined) this.#byKey.set(key, [connection])
    else alike.push(connection)
    if (this.#since.size > this.#max) this.#closeOldest()
    if (this.#timer === undefined) this.#lookAfter(this.#idleMs)
  }

  #closeOldest(): void {
    const [oldest] = this.#since.keys()
    oldest?.close()
  }

  /** Takes the most recently used one, so that surplus connections time out. */
  take(key: string): HttpsConnection | undefined {
    const connection = this.#byKey.get(key)?.at(-1)
    if (connection !== undefined) this.remove(key, connection)
    return connection
  }

  remove(key: string, connection: HttpsConnection): void {
    if (!this.#since.delete(connection)) return
    const alike = this.#byKey.get(key) ?? []
    alike.splice(alike.lastIndexOf(connection), 1)
    if (alike.length === 0) this.#byKey.delete(key)
  }

  #lookAfter(ms: number): void {
    this.#timer = setTimeout(() => this.#closeOverdue(), ms)
    this.#timer.unref()
  }

  #closeOverdue(): void {
    this.#timer = undefined
    for (const [connection, since] of this.#since) {
      const leftMs = since + this.#idleMs - performance.now()
      if (leftMs > 0) {
        this.#lookAfter(leftMs)
        return
      }
      connection.close()
    }
  }
}

/**
 * Creates a client for servers that anybody can name. Unlike `fetch` it limits everything that a server
 * sends, and hangs up as soon as a limit is exceeded. Idle connections are reused.
 */
export function createHttpsClient(options: HttpsClientOptions): AddressClient {
  const { verifyTls, ca, idleMs = IDLE_MS, maxIdle = MAX_IDLE } = options
  const secureContext = tls.createSecureContext(ca === undefined ? {} : { ca })
  const idle = new IdleConnections(idleMs, maxIdle)

  function connect(endpoint: Endpoint, key: string): HttpsConnection {
    const connection = new HttpsConnection(endpoint, {
      secureContext,
      verifyTls,
      onIdle: () => idle.put(key, connection),
      onClose: () => idle.remove(key, connection),
    })
    return connection
  }

  return async function send(endpoint, call, signal) {
    signal.throwIfAborted()
    const key = keyOf(endpoint)
    const request = toWire(endpoint, call)
    const connection = idle.take(key) ?? connect(endpoint, key)
    try {
      return await connection.exchange(request, signal, call.maxBodyBytes)
    } catch (error) {
      // The server closed the idle connection. All our requests are safe to repeat.
      if (!(error instanceof StaleConnection)) throw error
      return connect(endpoint, key).exchange(request, signal, call.maxBodyBytes)
    }
  }
}
