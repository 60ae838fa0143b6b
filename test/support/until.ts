const LIMIT_MS = 5_000

type Found<T> = T | undefined | false | null

/**
 * Waits until `find` gives something, and returns it.
 *
 * @throws {Error} when that takes longer than 5 s
 */
export async function until<T>(find: () => Found<T> | Promise<Found<T>>): Promise<T> {
  const end = performance.now() + LIMIT_MS
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false && found !== null) return found
    if (performance.now() > end) throw new Error(`waited for ${LIMIT_MS} ms in vain: ${find}`)
    await Bun.sleep(5)
  }
}
