import { memberOf } from '../lib/json.ts'
import type { AnswerHeaders } from '../net/bounded-fetch.ts'

function fromHeader(header: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  // Only a date contains letters; `Date.parse` would read a bare number as a year.
  const at = /[A-Za-z]/.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/**
 * How long a homeserver asks to wait, in milliseconds: `Retry-After` (seconds or an HTTP date), else
 * `retry_after_ms` of the body. It is obeyed by `retryAt` of the delegation's timing.
 *
 * @param now - milliseconds since the epoch
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
 */
export function retryAfterMs(
  headers: AnswerHeaders,
  body: unknown,
  now: number,
): number | undefined {
  const inHeader = fromHeader(headers.get('retry-after') ?? '', now)
  if (inHeader !== undefined) return inHeader
  const inBody = memberOf(body, 'retry_after_ms')
  const isWait = typeof inBody === 'number' && inBody >= 0 && inBody <= Number.MAX_VALUE
  return isWait ? inBody : undefined
}
