/**
 * Tells work that nobody waits for it any more. An `AbortSignal` is one; a {@link Cancellation} is one
 * that costs little.
 */
export interface CancellationSignal {
  readonly aborted: boolean
  readonly reason: unknown
  /** Throws {@link reason} if the work has been given up. */
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/**
 * Ends work early, as an `AbortController` does, and is its own signal. An exchange has several of them,
 * and `AbortController`s cost it several microseconds.
 */
export class Cancellation implements CancellationSignal {
  #reason: unknown
  #isAborted = false
  /** Few, so that a list is quicker than a set. */
  readonly #listeners: (() => void)[] = []
  #controller: AbortController | undefined

  get aborted(): boolean {
    return this.#isAborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#isAborted) throw this.#reason
  }

  /** Ends the work, once. Listeners must not throw; one that another removes meanwhile is not called. */
  abort(reason: unknown): void {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#reason = reason
    for (let tell = this.#listeners.shift(); tell; tell = this.#listeners.shift()) tell()
    this.#controller?.abort(reason)
  }

  /** Whether anybody would be told. */
  get hasListeners(): boolean {
    return this.#listeners.length > 0
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.push(listener)
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }

  /** The same for functions of the platform, such as `fetch`. */
  toAbortSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }
}

/** A signal in the form that functions of the platform take. */
export function toAbortSignal(signal: CancellationSignal): AbortSignal {
  if (signal instanceof Cancellation) return signal.toAbortSignal()
  if (signal instanceof AbortSignal) return signal
  throw new TypeError('a signal of an unknown kind')
}
