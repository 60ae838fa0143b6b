/** What the operator can learn about a cause of failure. */
export interface Entry {
  /** What has happened, as a sentence that holds for every occurrence. */
  readonly sentence: string
  /**
   * What to do about it, with the names of settings; `{}` stands for the subject of the trouble. None
   * where the cause is not the operator's to remove.
   */
  readonly remedy?: string
}

/** The remedy for one occurrence. */
export function filledIn(remedy: string, subject = ''): string {
  // By a function, since `$` means something in a text to replace with.
  return remedy.replaceAll('{}', () => subject)
}
