import { Cancellation, type CancellationSignal } from './cancellation.ts'

/** Something took longer than it may. */
export class DeadlineExceeded extends Error {
  constructor(ms: number) {
    super(`timeout after ${ms / 1000} s`)
    this.name = 'DeadlineExceeded'
  }
}

/** What becomes of somebody's work. */
export interface Settlement<T> {
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
  /** Gives up what watched over the work. */
  readonly release: () => void
}

/**
 * Passes the outcome of `work` on. One reaction instead of the three promises of `then` and `finally`:
 * every exchange comes by here several times.
 */
export function settle<T>(work: Promise<T>, { resolve, reject, release }: Settlement<T>): void {
  work.then(
    (value) => {
      release()
      resolve(value)
    },
    (reason: unknown) => {
      release()
      reject(reason)
    },
  )
}

/**
 * Runs `task` for at most `ms`; what it is given is aborted then, and also when `outer` is. The task may
 * hand it to whoever should be able to end it before.
 *
 * Work that cannot be aborted is left behind, so that the caller is answered in time all the same.
 *
 * @throws {DeadlineExceeded} when the time is over first
 */
export function withDeadline<T>(
  ms: number,
  outer: CancellationSignal | undefined,
  task: (cancellation: Cancellation) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    outer?.throwIfAborted()
    const cancellation = new Cancellation()
    const end = (reason: unknown) => {
      reject(reason)
      cancellation.abort(reason)
    }
    const timer = setTimeout(() => end(new DeadlineExceeded(ms)), ms)
    const followOuter = () => end(outer?.reason)
    outer?.addEventListener('abort', followOuter, { once: true })
    const release = () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', followOuter)
    }
    settle(task(cancellation), { resolve, reject, release })
  })
}

/** Waits for `work` until `signal` fires; work that takes longer is left behind. */
export function untilAborted<T>(signal: CancellationSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    const release = () => signal.removeEventListener('abort', giveUp)
    settle(work, { resolve, reject, release })
  })
}

/**
 * Waits for `work` for at most `ms`; work that takes longer is left behind.
 *
 * @throws {DeadlineExceeded} when the time is over first
 */
export function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineExceeded(ms)), ms)
    settle(work, { resolve, reject, release: () => clearTimeout(timer) })
  })
}
