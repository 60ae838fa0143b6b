/** A busy machine takes longer. */
const PATIENCE = 3

/**
 * Waits until `find` gives something, and returns it.
 *
 * @throws {Error} when that takes a multiple of `limitMs`, which suffices on an idle machine
 */
export async function eventually<T>(
  limitMs: number,
  find: () => T | undefined | false | null | Promise<T | undefined | false | null>,
): Promise<T> {
  const end = performance.now() + limitMs * PATIENCE
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false && found !== null) return found
    if (performance.now() > end)
      throw new Error(`waited for ${limitMs * PATIENCE} ms in vain: ${find}`)
    await Bun.sleep(5)
  }
}
