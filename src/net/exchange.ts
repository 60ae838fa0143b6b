import { DeadlineExceeded } from './deadline.ts'

/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The body, decoded as UTF-8. */
  readonly body: string
}

/** How the server's certificate is checked. */
export interface TlsOptions {
  /** Name that the certificate must be valid for; that of the URL unless given. */
  readonly serverName?: string
  readonly rejectUnauthorized?: boolean
  /** Trusted roots in PEM form; those of the runtime unless given. */
  readonly ca?: string
}

/** One GET request. */
export interface Exchange {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: TlsOptions
  readonly signal: AbortSignal
}

/** A request that got no usable answer. The message is fit for a log: it holds no URL and no secret. */
export class ExchangeError extends Error {
  /** Whether the server might still be reached at another of its addresses. */
  readonly retryElsewhere: boolean

  constructor(message: string, retryElsewhere: boolean) {
    super(message)
    this.name = 'ExchangeError'
    this.retryElsewhere = retryElsewhere
  }
}

const MAX_BODY_BYTES = 64 * 1024
const USER_AGENT = 'jwt-service-ts'

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ConnectionRefused: 'connection refused',
  ECONNRESET: 'connection closed by the server',
  ConnectionClosed: 'connection closed by the server',
  ENETUNREACH: 'network unreachable',
  EHOSTUNREACH: 'host unreachable',
  ETIMEDOUT: 'connection timed out',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate is signed by an unknown authority',
}

/**
 * Names the cause of a failure by its code alone: messages of `fetch` carry the URL, and with it the
 * OpenID token.
 */
function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code'
  return CAUSES[code] ?? `connection failed (${code})`
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) {
      throw new ExchangeError(`answer is larger than ${MAX_BODY_BYTES / 1024} KiB`, false)
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/**
 * Makes one request: no redirect is followed, no compressed answer unpacked, no more than 64 KiB read.
 *
 * @throws {ExchangeError} when there is no usable answer
 * @throws {DeadlineExceeded} when that is why `signal` fired
 */
export async function exchange({ url, headers, tls, signal }: Exchange): Promise<Answer> {
  // Ends the transfer of a body that is not read to its end.
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    const response = await fetch(url, {
      headers: {
        Accept: 'application/json',
        'Accept-Encoding': 'identity',
        'User-Agent': USER_AGENT,
        ...headers,
      },
      redirect: 'manual',
      decompress: false,
      signal: controller.signal,
      ...(tls === undefined ? {} : { tls }),
    })
    return { status: response.status, headers: response.headers, body: await readBounded(response) }
  } catch (error) {
    controller.abort()
    if (signal.aborted && signal.reason instanceof DeadlineExceeded) throw signal.reason
    if (error instanceof ExchangeError) throw error
    throw new ExchangeError(causeOf(error), true)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
