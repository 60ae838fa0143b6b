/**
 * Something that went wrong, as the operator is told of it. Whoever finds it says what was found; the
 * catalogue, which knows the settings, has an entry for every code and adds the remedy.
 */
export interface Trouble<Code extends string = string> {
  /** Stable, such as `sfu.refused`. */
  readonly code: Code
  /** What was found and where: no secret, and no text of somebody else without bounds. */
  readonly found: string
  /** What the remedy has to name, such as the addresses to be allowed. */
  readonly subject?: string
}

/** An error of which the operator is told. */
export interface TroubledError {
  readonly trouble: Trouble
}

/** Whether an error brings along what the operator is to be told. */
export function isTroubled(error: unknown): error is TroubledError {
  return error instanceof Error && 'trouble' in error
}
