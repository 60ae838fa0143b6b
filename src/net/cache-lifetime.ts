import type { AnswerHeaders } from './bounded-fetch.ts'

/** Bounds for the lifetime of an answer. */
export interface LifetimeBounds {
  /** Used if the answer does not say. */
  readonly defaultMs: number
  readonly maxMs: number
}

function maxAgeMs(cacheControl: string): number | undefined {
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])/i.test(cacheControl)) return 0
  const seconds = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,12})/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

function untilExpiryMs(expires: string, nowMs: number): number {
  const at = Date.parse(expires)
  // "Invalid dates, especially the value 0, represent a time in the past."
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowMs)
}

/**
 * Lifetime of an answer by its `Cache-Control` and `Expires` headers, in milliseconds.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9111#name-calculating-freshness-lifet
 */
export function cacheLifetimeMs(
  headers: AnswerHeaders,
  nowMs: number,
  bounds: LifetimeBounds,
): number {
  const fromCacheControl = maxAgeMs(headers.get('cache-control') ?? '')
  const expires = headers.get('expires')
  const fromExpires = expires === null ? undefined : untilExpiryMs(expires, nowMs)
  return Math.min(fromCacheControl ?? fromExpires ?? bounds.defaultMs, bounds.maxMs)
}
