/** Pause between two checks of one room, however many join it. */
const REST_MS = 200

/** Lets a room rest that has just been checked, so that a burst of joins causes few checks. */
export class Rests {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()
  readonly #noted = new Set<string>()
  readonly #onJoined: (matrixRoom: string) => void

  /** @param onJoined - called after the rest of a room that somebody joined meanwhile */
  constructor(onJoined: (matrixRoom: string) => void) {
    this.#onJoined = onJoined
  }

  has(matrixRoom: string): boolean {
    return this.#timers.has(matrixRoom)
  }

  /** Somebody joined during a check, or during the rest after it. */
  noteJoined(matrixRoom: string): void {
    this.#noted.add(matrixRoom)
  }

  /** A check has ended. */
  begin(matrixRoom: string): void {
    clearTimeout(this.#timers.get(matrixRoom))
    const timer = setTimeout(() => {
      this.#timers.delete(matrixRoom)
      if (this.#noted.delete(matrixRoom)) this.#onJoined(matrixRoom)
    }, REST_MS)
    this.#timers.set(matrixRoom, timer)
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }
}
