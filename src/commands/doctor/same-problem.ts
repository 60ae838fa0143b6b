import type { CauseCode } from '../../catalogue/catalogue.ts'

/** What is wrong with the federation API of a homeserver. */
export interface FederationProblem {
  readonly code: CauseCode
  /** The hosts that were asked: DNS names and IP literals, never bracketed. */
  readonly hosts: readonly string[]
}

/** What a problem is called where clients ask, if not the same with `client-api`. */
const CALLED: Readonly<Partial<Record<CauseCode, readonly CauseCode[]>>> = {
  'discovery.bad-well-known': ['client-api.bad-well-known'],
  'discovery.well-known-failed': ['client-api.unavailable'],
  'federation.not-matrix': ['client-api.no-well-known', 'client-api.bad-well-known'],
}

/** The host of a URL, as it is in {@link FederationProblem}. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}

/** Whether what clients meet at a host has been found there by way of the federation API already. */
export function isSameProblem(
  code: CauseCode,
  host: string,
  federation: FederationProblem | undefined,
): boolean {
  if (federation === undefined || !federation.hosts.includes(host)) return false
  const others = CALLED[federation.code] ?? []
  return others.includes(code) || code.replace(/^client-api\./, 'federation.') === federation.code
}
