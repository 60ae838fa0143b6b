import { type Answer, ExchangeError } from '../net/exchange.ts'
import type { AddressPolicy } from '../net/networks.ts'
import type { TargetClient } from '../net/target-client.ts'
import { parseServerName, type ServerName } from './server-name.ts'
import { targetOf } from './target.ts'

/**
 * Gets a well-known document of a host. Redirects are followed where they lead to https, and each hop
 * is checked like the first.
 *
 * @param path - such as `/.well-known/matrix/server`
 * @throws {ExchangeError} when there is no usable answer
 * @throws {UnreachableError} when the host, or one that it redirects to, cannot be connected to
 * @throws {DeadlineExceeded} when that is why `signal` fired
 */
export type GetWellKnown = (
  host: ServerName,
  path: string,
  policy: AddressPolicy,
  signal: AbortSignal,
) => Promise<Answer>

const MAX_REDIRECTS = 5

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

function parseUrl(text: string, base?: string): URL {
  const url = URL.parse(text, base)
  if (url === null) throw new ExchangeError('host or redirect that makes no valid URL', 'final')
  return url
}

function redirectTarget(location: string | null, from: URL): URL {
  const to = parseUrl(location ?? '', from.href)
  if (to.protocol !== 'https:') throw new ExchangeError('redirect to something not https', 'final')
  if (to.username !== '' || to.password !== '') {
    throw new ExchangeError('redirect with credentials', 'final')
  }
  return to
}

/**
 * Makes the way to well-known documents.
 *
 * @param port - where hosts that name none are asked
 */
export function createWellKnownClient(client: TargetClient, port = 443): GetWellKnown {
  return async function getWellKnown({ host, kind, port: ownPort }, path, policy, signal) {
    const authority = kind === 'ipv6' ? `[${host}]` : host
    let url = parseUrl(`https://${authority}:${ownPort ?? port}${path}`)
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const name = parseServerName(url.host)
      if (name === undefined) throw new ExchangeError('redirect to an unusable host', 'final')
      const call = { method: 'GET', path: url.pathname + url.search } as const
      const answer = await client.request([targetOf(name, port)], call, policy, signal)
      if (!isRedirect(answer.status)) return answer
      url = redirectTarget(answer.headers.get('location'), url)
    }
    throw new ExchangeError(`more than ${MAX_REDIRECTS} redirects`, 'final')
  }
}
