import { isIPv6 } from 'node:net'
import { type Answer, boundedFetch, type Call } from './bounded-fetch.ts'

/** One address of a server. */
export interface Endpoint {
  /** IPv4 or IPv6, never bracketed. */
  readonly address: string
  /** 1 to 65535. */
  readonly port: number
  /** Name that the certificate must be valid for: a DNS name or an IP literal, never bracketed. */
  readonly tlsServerName: string
  /** Value of the `Host` header. */
  readonly hostHeader: string
}

/**
 * Sends a request over HTTPS to this very address; no redirect is followed, nothing unpacked.
 *
 * @throws {RequestError} when there is no usable answer
 * @throws {DeadlineExceeded} when that is why `signal` fired
 */
export type AddressClient = (endpoint: Endpoint, call: Call, signal: AbortSignal) => Promise<Answer>

/** How certificates are checked. */
export interface CertificateChecks {
  /** Whether they are checked at all. */
  readonly verifyTls: boolean
  /** Trusted roots in PEM form; those of the runtime unless given. */
  readonly ca?: string | undefined
}

/**
 * Makes a client that goes through the proxy that the environment names, as `fetch` does. It bounds
 * the body of an answer, and what surrounds it by time alone.
 */
export function createProxiedClient({ verifyTls, ca }: CertificateChecks): AddressClient {
  const tls = { rejectUnauthorized: verifyTls, ...(ca === undefined ? {} : { ca }) }
  return function sendThroughProxy({ address, port, tlsServerName, hostHeader }, call, signal) {
    const authority = isIPv6(address) ? `[${address}]` : address
    return boundedFetch({
      ...call,
      url: `https://${authority}:${port}${call.path}`,
      headers: { Host: hostHeader },
      tls: { ...tls, serverName: tlsServerName },
      signal,
    })
  }
}
