/** Something took longer than it may. */
export class DeadlineExceeded extends Error {
  constructor(ms: number) {
    super(`timeout after ${ms / 1000} s`)
    this.name = 'DeadlineExceeded'
  }
}

/**
 * Runs `task` for at most `ms`; the signal it is given fires then, and also when `outer` does.
 *
 * Work that cannot be aborted is left behind, so that the caller is answered in time all the same.
 *
 * @throws {DeadlineExceeded} when the time is over first
 */
export async function withDeadline<T>(
  ms: number,
  outer: AbortSignal | undefined,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DeadlineExceeded(ms)), ms)
  const followOuter = () => controller.abort(outer?.reason)
  outer?.addEventListener('abort', followOuter, { once: true })
  try {
    return await untilAborted(controller.signal, task(controller.signal))
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', followOuter)
  }
}

function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, (error) => reject(signal.aborted ? signal.reason : error))
  })
}
