import { isIPv6 } from 'node:net'
import type { CancellationSignal } from '../lib/cancellation.ts'
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
 * Sends an HTTPS request to exactly this address, without following redirects or decompressing.
 *
 * @throws {RequestError} when there is no usable answer
 * @throws {DeadlineExceeded} when `signal` fired because of a timeout
 */
export type AddressClient = (
  endpoint: Endpoint,
  call: Call,
  signal: CancellationSignal,
) => Promise<Answer>

/** How certificates are checked. */
export interface CertificateChecks {
  /** False to accept any certificate. */
  readonly verifyTls: boolean
  /** Trusted roots in PEM form; default: those of the runtime. */
  readonly ca?: string | undefined
}

/**
 * Creates a client on top of `fetch`, which uses the proxy in the environment. The size of an answer's
 * body is limited; headers and framing are limited by the timeout alone.
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
