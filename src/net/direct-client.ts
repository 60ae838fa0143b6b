import { type Answer, boundedFetch, type Call } from './bounded-fetch.ts'

/** Settings of {@link createDirectClient}. */
export interface DirectClientOptions {
  /** Whether certificates are checked. */
  readonly verifyTls: boolean
  /** Trusted roots in PEM form; those of the runtime unless given. */
  readonly ca?: string | undefined
}

/**
 * Sends a request to a server whose base URL the operator has given, wherever that leads.
 *
 * @throws {RequestError} when there is no usable answer
 * @throws {DeadlineExceeded} when that is why `signal` fired
 */
export type DirectClient = (baseUrl: string, call: Call, signal: AbortSignal) => Promise<Answer>

/** Makes a client for what the operator has named. */
export function createDirectClient({ verifyTls, ca }: DirectClientOptions): DirectClient {
  const tls = { rejectUnauthorized: verifyTls, ...(ca === undefined ? {} : { ca }) }
  return function request(baseUrl, { path, ...call }, signal) {
    return boundedFetch({ ...call, url: baseUrl + path, tls, signal })
  }
}
