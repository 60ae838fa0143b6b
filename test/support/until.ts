/** Less than the time limit of a test, so that the error tells what was waited for. */
const LIMIT_MS = 15_000

const PAUSE_MS = 5

type Found<T> = T | undefined | false | null

/**
 * Waits until `find` gives something, and returns it.
 *
 * @param limitMs - a busy machine takes several times as long as an idle one
 * @param pauseMs - between two attempts
 * @throws {Error} when that takes longer than `limitMs`
 */
export async function until<T>(
  find: () => Found<T> | Promise<Found<T>>,
  limitMs = LIMIT_MS,
  pauseMs = PAUSE_MS,
): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false && found !== null) return found
    if (performance.now() > end) throw new Error(`waited for ${limitMs} ms in vain: ${find}`)
    await Bun.sleep(pauseMs)
  }
}
