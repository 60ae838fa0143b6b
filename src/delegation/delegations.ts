import type { Circumstances } from './life/moves.ts'
import type { ParticipantKey } from './life/record.ts'
import type { DelegationSignal } from './life/signals.ts'
import { type Accepted, accept } from './life/waiting.ts'
import { type Bounds, type DelegationStore, StoreUnavailable } from './store/store.ts'
import type { Changes } from './work/changes.ts'

/** What a webhook reports about one participant, or about a whole LiveKit room. */
export interface WebhookReport {
  readonly room: string
  /** `undefined` for everybody in the room. */
  readonly identity: string | undefined
  readonly signal: DelegationSignal
}

/** The user, or the users of the server together, already have too many delegations. */
export class TooManyDelegations extends Error {
  readonly code = 'too-many-delegations'
  /** How long the client should wait before it tries again. */
  readonly retryAfterMs = 60_000

  constructor(reason: string) {
    super(reason)
    this.name = 'TooManyDelegations'
  }
}

/** The delegations, as routes use them. Both methods throw {@link StoreUnavailable} when the store is away. */
export interface Delegations {
  /**
   * Takes over a delayed leave event. It replaces an earlier one of the same participant.
   *
   * @throws {TooManyDelegations}
   */
  delegate(accepted: Omit<Accepted, 'generation'>): Promise<void>
  /** Applies what a webhook reports. */
  report(report: WebhookReport): Promise<void>
}

const EXCESS = {
  'user-full': 'the user has too many delegations',
  'server-full': 'the users of the server have too many delegations',
}

/** Options of {@link createDelegations}. */
export interface DelegationsOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  readonly circumstances: () => Circumstances
  readonly newGeneration: () => string
  readonly boundsFor: (serverName: string) => Bounds
  readonly onAccepted: (key: ParticipantKey) => void
  /** Called when a webhook could not be applied; the SFU may never repeat it. */
  readonly onMissedWebhook: () => void
}

/** Creates {@link Delegations}. */
export function createDelegations(options: DelegationsOptions): Delegations {
  const { store, changes, circumstances, newGeneration, boundsFor, onAccepted, onMissedWebhook } =
    options

  async function apply({ room, identity, signal }: WebhookReport): Promise<void> {
    if (identity !== undefined) return changes.applyFor({ room, identity }, signal)
    const inRoom = await store.findInRoom(room)
    await Promise.all(inRoom.map((stored) => changes.applyTo(stored, signal)))
  }

  return {
    async delegate(accepted) {
      const delegation = accept({ ...accepted, generation: newGeneration() }, circumstances())
      // Promise: a user has a limited number of delegations, and so has a server that is not named.
      const outcome = await store.put(delegation, boundsFor(accepted.serverName))
      if (outcome !== 'stored') throw new TooManyDelegations(EXCESS[outcome])
      onAccepted(accepted)
    },
    async report(report) {
      try {
        await apply(report)
      } catch (error) {
        // Promise: while the store is away a webhook gets 503, so that LiveKit tries again.
        if (error instanceof StoreUnavailable) onMissedWebhook()
        throw error
      }
    },
  }
}
