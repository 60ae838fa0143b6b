import { memberOf, parseJson, textMember } from '../lib/json.ts'
import { parseServerName } from './server-name.ts'

/** What a well-known document says of the client API. */
export type BaseUrlFound =
  /** Without a slash at its end. */
  | { readonly kind: 'usable'; readonly baseUrl: string }
  /** `lack` is for the operator; a value in it has no credentials, and is cut. */
  | { readonly kind: 'unusable'; readonly lack: string }

/** Bounds what is stored with each delegation, and how long it takes to handle. */
const MAX_URL_LENGTH = 2_048
/** Strangers choose the value. */
const MAX_SHOWN = 200

/** Why a base URL cannot be used; `undefined` if it can. */
function obstacleOf(url: URL | null): string | undefined {
  if (url === null || url.protocol !== 'https:') return 'is no https URL'
  if (url.search !== '' || url.hash !== '') return 'has a query or a fragment'
  if (parseServerName(url.host) === undefined) return 'has no usable host'
  return undefined
}

/** Reads "base_url" of "m.homeserver" in the well-known document of clients. */
export function readBaseUrl(body: string): BaseUrlFound {
  const unusable = (lack: string) => ({ kind: 'unusable', lack }) as const
  const json = parseJson(body)
  if (json === undefined) return unusable('no JSON')
  const text = textMember(memberOf(json, 'm.homeserver'), 'base_url')
  if (text === undefined) return unusable('no "base_url" of "m.homeserver"')
  const url = URL.parse(text)
  if ((url?.href ?? text).length > MAX_URL_LENGTH) return unusable('"base_url" is too long')
  if (text.includes('@')) return unusable('"base_url" has credentials')
  const obstacle = obstacleOf(url)
  if (url === null || obstacle !== undefined) {
    return unusable(`"base_url" is "${text.slice(0, MAX_SHOWN)}", which ${obstacle}`)
  }
  return { kind: 'usable', baseUrl: (url.origin + url.pathname).replace(/\/+$/, '') }
}
