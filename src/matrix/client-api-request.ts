import { type Answer, type Call, RequestError } from '../net/bounded-fetch.ts'
import type { DirectClient } from '../net/direct-client.ts'
import type { AddressPolicy } from '../net/networks.ts'
import type { TargetClient } from '../net/target-client.ts'
import { parseServerName, targetOf } from './server-name.ts'

/** What requests to client APIs go through. */
export interface ClientApiRequestOptions {
  readonly client: TargetClient
  /** For those whose place the operator has said. */
  readonly direct: DirectClient
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Base URL by server name, where the operator has said the place. */
  readonly overrides: ReadonlyMap<string, string>
}

/**
 * Sends a request to the client API of a homeserver.
 *
 * @param baseUrl - of the client API
 * @throws {RequestError} when there is no usable answer
 * @throws {UnreachableError} when it cannot be connected to
 * @throws {DeadlineExceeded} when that is why `signal` fired
 */
export type RequestClientApi = (
  serverName: string,
  baseUrl: string,
  call: Call,
  signal: AbortSignal,
) => Promise<Answer>

/** Makes the way to client APIs. */
export function createClientApiRequest(options: ClientApiRequestOptions): RequestClientApi {
  const { client, direct, policyFor, overrides } = options

  return async function requestClientApi(serverName, baseUrl, call, signal) {
    if (overrides.get(serverName) === baseUrl) return direct(baseUrl, call, signal)
    const url = new URL(baseUrl)
    const name = parseServerName(url.host)
    if (name === undefined) throw new RequestError('the client API is at no usable host', 'final')
    const path = url.pathname.replace(/\/+$/, '') + call.path
    return client.request([targetOf(name, 443)], { ...call, path }, policyFor(serverName), signal)
  }
}
