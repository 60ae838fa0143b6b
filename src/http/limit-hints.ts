import type { Logger } from '../log.ts'
import type { Trouble } from '../trouble.ts'
import type { Client } from './client-address.ts'

/** What a limit is kept for. */
export type LimitedBy = 'address' | 'user' | 'origin'

/** What the operator should know about limits. */
export type LimitCode =
  | 'limits.reached'
  | 'limits.hidden-clients'
  | 'limits.unknown-proxy'
  | 'limits.hidden-network'

/** Tells the operator about limits. */
export interface LimitHints {
  /** A request was refused; told once a minute, as a line for each would let a flood fill the log. */
  noteRefusal(limit: LimitedBy): void
  /** A request has come; told once what turns many clients into one, or hides them. */
  noteClient(client: Client): void
}

const HINT_AFTER_REQUESTS = 100
const TELL_EVERY_MS = 60_000

/**
 * Creates {@link LimitHints}.
 *
 * @param monotonicNow - milliseconds since some moment, never going back
 */
export function createLimitHints(logger: Logger, monotonicNow: () => number): LimitHints {
  const refusals = new Map<LimitedBy, { count: number; toldAt: number }>()
  /** Requests so far, while all came from {@link onlyAddress}; else not a number. */
  let requestsOfOne = 0
  let onlyAddress: string | undefined
  let hasToldOfHidden = false

  function warn(message: string, trouble: Trouble<LimitCode>, more: object = {}): void {
    logger.warn(message, { ...more, trouble })
  }

  function noteHidden(proxy: string): void {
    if (hasToldOfHidden) return
    hasToldOfHidden = true
    const found = `${proxy} sends no usable X-Forwarded-For`
    warn('clients behind a proxy are not limited by address', {
      code: 'limits.hidden-clients',
      found,
    })
  }

  /** A proxy that is not known as one turns all its clients into one; so does a network before it. */
  function notePrivate(address: string, proxy: string | undefined): void {
    const isOther = onlyAddress !== undefined && onlyAddress !== address
    requestsOfOne = isOther ? Number.NaN : requestsOfOne + 1
    onlyAddress = address
    if (requestsOfOne !== HINT_AFTER_REQUESTS) return
    const isDirect = proxy === undefined
    warn('all requests come from one private address and share its limit', {
      code: isDirect ? 'limits.unknown-proxy' : 'limits.hidden-network',
      found: isDirect ? `all from ${address}` : `all from ${address}, through the proxy ${proxy}`,
      subject: address,
    })
  }

  return {
    noteRefusal(limit) {
      const now = monotonicNow()
      const { count, toldAt } = refusals.get(limit) ?? {
        count: 0,
        toldAt: Number.NEGATIVE_INFINITY,
      }
      const isTimeToTell = now - toldAt >= TELL_EVERY_MS
      refusals.set(limit, isTimeToTell ? { count: 0, toldAt: now } : { count: count + 1, toldAt })
      if (!isTimeToTell) return
      const found = `the limit for one ${limit}`
      const requests = count + 1
      warn('too many requests are refused', { code: 'limits.reached', found }, { limit, requests })
    },
    noteClient(client) {
      if (client.kind === 'private') return notePrivate(client.address, client.proxy)
      requestsOfOne = Number.NaN
      if (client.kind === 'hidden') noteHidden(client.proxy)
    },
  }
}
