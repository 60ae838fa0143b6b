import type { Admission, AdmissionStore } from './store/admissions.ts'

/**
 * LiveKit gives the connected a new token of 10 min every 5 min, with which they can come back; so they
 * are remembered for longer than the token that they asked for.
 */
const REFRESHED_TOKEN_MS = 600_000
const CLOCK_SKEW_MS = 60_000

/**
 * By when the token that a connected participant has may expire, or a check after that, in milliseconds
 * since the epoch.
 */
export function refreshedUntil(now: number, intervalMs: number): number {
  return now + 2 * intervalMs + REFRESHED_TOKEN_MS + CLOCK_SKEW_MS
}

/**
 * Remembers somebody who is connected until `until` at least.
 *
 * @throws {StoreUnavailable} when the store is away
 */
export async function rememberUntil(
  store: Pick<AdmissionStore, 'put'>,
  admission: Admission,
  until: number,
  now: number,
): Promise<void> {
  if (admission.expiresAt >= until) return
  // The room is scheduled already; the bound on a user's tokens is for those that are asked for.
  await store.put({ ...admission, expiresAt: until }, Number.MAX_SAFE_INTEGER, now, until)
}
