import type { Delegation, ParticipantKey } from '../../src/delegation/life/record.ts'
import type {
  Bounds,
  Claim,
  DelegationStore,
  Heartbeat,
  Mended,
  Notice,
  PutOutcome,
  Stored,
  Survey,
} from '../../src/delegation/store/store.ts'
import { WakeListeners } from '../../src/delegation/store/store.ts'

/** A store that counts claims, fails on command, and wakes workers on command. */
export class WatchedStore implements DelegationStore {
  readonly #store: DelegationStore
  readonly #wake = new WakeListeners()
  claims = 0
  /** What every method throws. */
  failure: Error | undefined
  /** What every method waits for. */
  pause: Promise<void> | undefined

  constructor(store: DelegationStore) {
    this.#store = store
    store.onWake((key) => this.#wake.tell(key))
  }

  /** Tells workers that something is due, although nothing has changed. */
  wake(key?: ParticipantKey): void {
    this.#wake.tell(key)
  }

  put(delegation: Delegation, bounds?: Bounds): Promise<PutOutcome> {
    return this.#working().then((store) => store.put(delegation, bounds))
  }

  find(key: ParticipantKey): Promise<Stored | undefined> {
    return this.#working().then((store) => store.find(key))
  }

  findInRoom(room: string): Promise<readonly Stored[]> {
    return this.#working().then((store) => store.findInRoom(room))
  }

  async claimDue(now: number, limit: number, maxLeaseMs: number): Promise<Claim> {
    this.claims += 1
    return (await this.#working()).claimDue(now, limit, maxLeaseMs)
  }

  replace(stored: Stored, next: Delegation | undefined, notice: Notice): Promise<boolean> {
    return this.#working().then((store) => store.replace(stored, next, notice))
  }

  postpone(stored: Stored, at: number): Promise<void> {
    return this.#working().then((store) => store.postpone(stored, at))
  }

  wakeAll(): Promise<void> {
    return this.#working().then((store) => store.wakeAll())
  }

  scan(visit: (batch: readonly Stored[]) => Promise<void>): Promise<void> {
    return this.#working().then((store) => store.scan(visit))
  }

  heartbeat(): Promise<Heartbeat> {
    return this.#working().then((store) => store.heartbeat())
  }

  survey(now: number): Promise<Survey> {
    return this.#working().then((store) => store.survey(now))
  }

  mend(): Promise<Mended> {
    return this.#working().then((store) => store.mend())
  }

  restore(delegation: Delegation): Promise<boolean> {
    return this.#working().then((store) => store.restore(delegation))
  }

  onWake(listener: (key: ParticipantKey | undefined) => void): () => void {
    return this.#wake.add(listener)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #working(): Promise<DelegationStore> {
    await this.pause
    if (this.failure !== undefined) throw this.failure
    return this.#store
  }
}
