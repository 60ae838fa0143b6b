const askEveryMs = 25

/**
 * Waits until a condition holds, and returns how many milliseconds that took.
 *
 * @throws {Error} When it does not within `withinMs`; the message says what was waited for.
 */
export async function untilHolds(
  what: string,
  condition: () => Promise<boolean>,
  withinMs: number,
): Promise<number> {
  const start = performance.now()
  for (;;) {
    if (await condition()) return performance.now() - start
    if (performance.now() - start > withinMs) {
      throw new Error(`waited in vain for ${withinMs} ms until ${what}`)
    }
    await Bun.sleep(askEveryMs)
  }
}
