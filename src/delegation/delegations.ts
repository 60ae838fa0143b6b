import type { Changes } from './changes.ts'
import type { ParticipantKey } from './delegation.ts'
import type { DelegationEvent } from './events.ts'
import type { Circumstances } from './steps.ts'
import { type DelegationStore, StoreUnavailable } from './store.ts'
import { type Accepted, accept } from './waiting.ts'

/** What a webhook reports: of one participant, or of a whole LiveKit room. */
export interface WebhookReport {
  readonly room: string
  /** `undefined` for everybody in the room. */
  readonly identity: string | undefined
  readonly event: DelegationEvent
}

/** What the routes do with delegations. Both throw {@link StoreUnavailable} when the store is away. */
export interface Delegations {
  /** Takes over a delayed leave event, in the place of one taken over before for the participant. */
  delegate(accepted: Omit<Accepted, 'generation'>): Promise<void>
  /** Applies what a webhook reports. */
  report(report: WebhookReport): Promise<void>
}

/** What {@link createDelegations} needs. */
export interface DelegationsOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  readonly around: () => Circumstances
  readonly newGeneration: () => string
  readonly onAccepted: (key: ParticipantKey) => void
  /** A webhook could not be applied, and may never be repeated. */
  readonly onMissedWebhook: () => void
}

/** Makes the delegations as the routes see them. */
export function createDelegations(options: DelegationsOptions): Delegations {
  const { store, changes, around, newGeneration, onAccepted, onMissedWebhook } = options

  async function apply({ room, identity, event }: WebhookReport): Promise<void> {
    if (identity !== undefined) return changes.applyFor({ room, identity }, event)
    const inRoom = await store.findInRoom(room)
    await Promise.all(inRoom.map((stored) => changes.applyTo(stored, event)))
  }

  return {
    async delegate(accepted) {
      await store.put(accept({ ...accepted, generation: newGeneration() }, around()))
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
