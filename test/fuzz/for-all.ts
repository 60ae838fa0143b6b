import * as fc from 'fast-check'

const { FUZZ_RUNS, FUZZ_SEED } = process.env
/** How many values a claim is tried with. */
const RUNS = Number(FUZZ_RUNS ?? 300)
/** A short run always tries the same values, so that no change fails by chance; a longer one new ones. */
const SEED = Number(FUZZ_SEED ?? (FUZZ_RUNS === undefined ? 20_260_101 : Date.now() | 0))

/**
 * Checks a claim for many values. A failure names the smallest value found, and the seed to repeat it
 * with: `FUZZ_SEED=… bun run test:fuzz`.
 *
 * @param share - of the usual number of values, for claims that take long to check
 */
export async function forAll<T>(
  values: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
  share = 1,
): Promise<void> {
  const numRuns = Math.ceil(RUNS * share)
  const property = fc.asyncProperty(values, async (value) => {
    await check(value)
  })
  await fc.assert(property, { numRuns, seed: SEED })
}
