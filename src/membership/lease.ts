import { StoreUnavailable } from '../delegation/store/store.ts'
import type { AdmissionStore } from './store/admissions.ts'

/**
 * Promise: the rooms that a replica was checking when it was killed are checked by another within 2 s.
 */
const LEASE_MS = 1_500
const RENEW_MS = 500

/** The end of a lease that begins now. */
export function newLease(now: number): number {
  return now + LEASE_MS
}

/** A lease that is renewed until it is released. */
export interface HeldLease {
  /** Stops the renewal; returns the end of the lease. */
  release(): number
}

/** Renews the lease of a Matrix room that takes long to check: no other replica repeats the work. */
export function keepLease(
  store: Pick<AdmissionStore, 'claim'>,
  matrixRoom: string,
  leaseUntil: number,
  now: () => number,
  onBug: (error: unknown) => void,
): HeldLease {
  let until = leaseUntil
  const timer = setInterval(() => {
    until = newLease(now())
    store.claim(matrixRoom, until).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) onBug(error)
    })
  }, RENEW_MS)
  return {
    release() {
      clearInterval(timer)
      return until
    },
  }
}
