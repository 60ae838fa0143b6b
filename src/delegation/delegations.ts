import type { Circumstances } from './life/moves.ts'
import type { ParticipantKey } from './life/record.ts'
import type { DelegationSignal } from './life/signals.ts'
import { type Accepted, accept } from './life/waiting.ts'
import { type Bounds, type DelegationStore, StoreUnavailable } from './store/store.ts'
import type { Changes } from './work/changes.ts'

/** What a webhook reports: of one participant, or of a whole LiveKit room. */
export interface WebhookReport {
  readonly room: string
  /** `undefined` for everybody in the room. */
  readonly identity: string | undefined
  readonly signal: DelegationSignal
}

/** The user, or all users of the server together, have too many delegations already. */
export class TooManyDelegations extends Error {
  readonly code = 'too-many-delegations'
  /** After how many milliseconds it is worth trying again. */
  readonly retryAfterMs = 60_000

  constructor(reason: string) {
    super(reason)
    this.name = 'TooManyDelegations'
  }
}

/** What the routes do with delegations. Both throw {@link StoreUnavailable} when the store is away. */
export interface Delegations {
  /**
   * Takes over a delayed leave event, in the place of one taken over before for the participant.
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

/** What {@link createDelegations} needs. */
export interface DelegationsOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  readonly circumstances: () => Circumstances
  readonly newGeneration: () => string
  readonly boundsFor: (serverName: string) => Bounds
  readonly onAccepted: (key: ParticipantKey) => void
  /** A webhook could not be applied, and may never be repeated. */
  readonly onMissedWebhook: () => void
}

/** Makes the delegations as the routes see them. */
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
      const outcome = await store.put(delegation, boundsFor(accepted.serverName))
      if (outcome !== 'stored') throw new TooManyDelegations(EXCESS[outcome])
      onAccepted(accepted)
    },
    async report(report) {
      try {
        await apply(report)
      } catch (error) {
        if (error instanceof StoreUnavailable) onMissedWebhook()
        throw error
      }
    },
  }
}
