import { type CancellationSignal, toAbortSignal } from '../lib/cancellation.ts'
import { DeadlineExceeded } from '../lib/deadline.ts'
import { AnswerTooLarge, connectionFailure, RequestError } from './request-error.ts'

/** The headers of an answer; those of `fetch` are such. */
export interface AnswerHeaders extends Iterable<[name: string, value: string]> {
  /** The value of a header, of several joined by `, `; `null` if there is none. */
  get(name: string): string | null
}

/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly headers: AnswerHeaders
  /** The body, decoded as UTF-8. */
  readonly body: string
  /** Who answered, for the operator: host, and address and port where they are known. */
  readonly peer?: string
}

/** How the certificate of the server is checked. */
export interface TlsOptions {
  /** Name that the certificate must be valid for; default: that of the URL. */
  readonly serverName?: string
  readonly rejectUnauthorized?: boolean
  /** Trusted roots in PEM form; default: those of the runtime. */
  readonly ca?: string
}

/** A request, without the server that it goes to. */
export interface Call {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  /** JSON, if there is a body. */
  readonly body?: string
  /** Secret: sent as `Authorization: Bearer`. */
  readonly accessToken?: string
  /** Limit for the body of the answer; default: {@link MAX_BODY_BYTES}. */
  readonly maxBodyBytes?: number
}

/** One request. */
export interface OutgoingRequest extends Omit<Call, 'path'> {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: TlsOptions
  readonly signal: CancellationSignal
}

/** Usual limit for the body of an answer. */
export const MAX_BODY_BYTES = 64 * 1024
const USER_AGENT = 'jwt-service-ts'

async function readStream(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  // Leaving the loop early cancels the stream, which ends the transfer.
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw new AnswerTooLarge(maxBytes)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const { body, headers } = response
  if (body === null) return ''
  const length = headers.get('content-length')
  if (length === null) return readStream(body, maxBytes)
  // The runtime reads no more than Content-Length, except from a chunked body.
  if (headers.has('transfer-encoding')) return readStream(body, maxBytes)
  if (Number(length) <= maxBytes) return response.text()
  await body.cancel()
  throw new AnswerTooLarge(maxBytes)
}

/** Headers of every request. */
export function requestHeaders({
  body,
  accessToken,
}: Pick<Call, 'body' | 'accessToken'>): Record<string, string> {
  return {
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    'User-Agent': USER_AGENT,
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` }),
  }
}

/**
 * Makes one request with `fetch`, without redirects or decompression, and with a limit for the body.
 *
 * @throws {RequestError} when there is no usable answer
 * @throws {DeadlineExceeded} when `signal` fired because of a timeout
 */
export async function boundedFetch(request: OutgoingRequest): Promise<Answer> {
  const { url, method, body, headers, tls, signal, maxBodyBytes = MAX_BODY_BYTES } = request
  try {
    const response = await fetch(url, {
      method,
      headers: { ...requestHeaders(request), ...headers },
      redirect: 'manual',
      decompress: false,
      signal: toAbortSignal(signal),
      ...(body === undefined ? {} : { body }),
      ...(tls === undefined ? {} : { tls }),
    })
    const text = await readBounded(response, maxBodyBytes)
    return { status: response.status, headers: response.headers, body: text }
  } catch (error) {
    if (signal.aborted && signal.reason instanceof DeadlineExceeded) throw signal.reason
    if (error instanceof RequestError) throw error
    throw connectionFailure(error)
  }
}
