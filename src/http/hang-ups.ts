import { Cancellation } from '../lib/cancellation.ts'
import { type Linked, LinkedList } from '../lib/linked-list.ts'

/** Nearly all requests are answered by then. */
const NOTICE_AFTER_MS = 50

/** Ends the work for a request when its client hangs up. */
class HangUp extends Cancellation implements Linked<HangUp> {
  previous?: HangUp | undefined
  next?: HangUp | undefined
  /** When somebody began to wait for it. Milliseconds, monotonic. */
  since = 0
  readonly #request: Request
  readonly #watch: HangUps
  #isNoticed = false

  constructor(request: Request, watch: HangUps) {
    super()
    this.#request = request
    this.#watch = watch
  }

  override addEventListener(type: 'abort', listener: () => void): void {
    const isFirst = !this.hasListeners
    super.addEventListener(type, listener)
    if (isFirst && !this.#isNoticed) this.#watch.add(this)
  }

  override removeEventListener(type: 'abort', listener: () => void): void {
    super.removeEventListener(type, listener)
    if (!this.hasListeners) this.#watch.remove(this)
  }

  override toAbortSignal(): AbortSignal {
    this.notice()
    return super.toAbortSignal()
  }

  /** Has the runtime tell, from now on. */
  notice(): void {
    if (this.#isNoticed) return
    this.#isNoticed = true
    const { signal } = this.#request
    const end = () => this.abort(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  }
}

/**
 * Notices that clients hang up, a moment later than the runtime does: to ask it for its signal and to
 * listen to that takes longer than all that is done here for a request which is answered in time.
 */
export class HangUps {
  /** What somebody waits for, in the order in which they began to. */
  readonly #waiting = new LinkedList<HangUp>()
  /** Runs while somebody waits. */
  #timer: ReturnType<typeof setTimeout> | undefined

  /** What ends the work for a request. */
  of(request: Request): Cancellation {
    return new HangUp(request, this)
  }

  /** Somebody begins to wait. */
  add(hangUp: HangUp): void {
    hangUp.since = performance.now()
    this.#waiting.add(hangUp)
    this.#timer ??= setTimeout(() => this.#look(), NOTICE_AFTER_MS)
  }

  /** Nobody waits any more. */
  remove(hangUp: HangUp): void {
    this.#waiting.remove(hangUp)
  }

  #look(): void {
    const lateSince = performance.now() - NOTICE_AFTER_MS
    let next = this.#waiting.first
    while (next !== undefined && next.since <= lateSince) {
      this.#waiting.remove(next)
      next.notice()
      next = this.#waiting.first
    }
    const isNeeded = this.#waiting.size > 0
    this.#timer = isNeeded ? setTimeout(() => this.#look(), NOTICE_AFTER_MS) : undefined
  }
}
