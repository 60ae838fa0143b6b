import type { CancellationSignal } from '../lib/cancellation.ts'
import type { Answer, Call } from '../net/bounded-fetch.ts'
import type { DirectClient } from '../net/direct-client.ts'
import type { AddressPolicy } from '../net/networks.ts'
import { RequestError } from '../net/request-error.ts'
import type { TargetClient } from '../net/target-client.ts'
import { parseServerName, targetOf } from './server-name.ts'

/** Options of {@link createClientApiRequest}. */
export interface ClientApiRequestOptions {
  readonly client: TargetClient
  /** For servers with an override. */
  readonly direct: DirectClient
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Operator's base URL by server name; replaces discovery. */
  readonly overrides: ReadonlyMap<string, string>
}

/**
 * Sends a request to the client API of a homeserver.
 *
 * @param baseUrl - of the client API
 * @throws {RequestError} when there is no usable answer
 * @throws {UnreachableError} when no address can be connected to
 * @throws {DeadlineExceeded} when that is why `signal` fired
 */
export type RequestClientApi = (
  serverName: string,
  baseUrl: string,
  call: Call,
  signal: CancellationSignal,
) => Promise<Answer>

/** Creates {@link RequestClientApi}. */
export function createClientApiRequest(options: ClientApiRequestOptions): RequestClientApi {
  const { client, direct, policyFor, overrides } = options

  return async function requestClientApi(serverName, baseUrl, call, signal) {
    if (overrides.get(serverName) === baseUrl) return direct(baseUrl, call, signal)
    const url = new URL(baseUrl)
    const name = parseServerName(url.host)
    if (name === undefined)
      throw new RequestError('no-address', 'the host of the client API is not usable', 'final')
    const path = url.pathname.replace(/\/+$/, '') + call.path
    return client.request([targetOf(name, 443)], { ...call, path }, policyFor(serverName), signal)
  }
}
