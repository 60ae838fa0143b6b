import type { CancellationSignal } from '../lib/cancellation.ts'
import { type Answer, boundedFetch, type Call } from './bounded-fetch.ts'
import { RequestError } from './request-error.ts'

/** Settings of {@link createDirectClient}. */
export interface DirectClientOptions {
  /** False to accept any certificate. */
  readonly verifyTls: boolean
  /** Trusted roots in PEM form; default: those of the runtime. */
  readonly ca?: string | undefined
}

/**
 * Sends a request to a base URL that the operator configured, without checking its address.
 *
 * @throws {RequestError} when there is no usable answer
 * @throws {DeadlineExceeded} when `signal` fired because of a timeout
 */
export type DirectClient = (
  baseUrl: string,
  call: Call,
  signal: CancellationSignal,
) => Promise<Answer>

/** Creates {@link DirectClient}. */
export function createDirectClient({ verifyTls, ca }: DirectClientOptions): DirectClient {
  const tls = { rejectUnauthorized: verifyTls, ...(ca === undefined ? {} : { ca }) }
  return async function request(baseUrl, { path, ...call }, signal) {
    try {
      const answer = await boundedFetch({ ...call, url: baseUrl + path, tls, signal })
      return { ...answer, peer: baseUrl }
    } catch (error) {
      // Kept as it is otherwise: whoever asks tells too large an answer by its class.
      if (error instanceof RequestError) {
        error.message = `${new URL(baseUrl).origin}: ${error.message}`
      }
      throw error
    }
  }
}
