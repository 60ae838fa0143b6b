import type { Action } from '../../src/delegation/life/moves.ts'
import type { Delegation, ParticipantKey } from '../../src/delegation/life/record.ts'
import type { DelayedEventOutcome, PresenceSignal } from '../../src/delegation/life/signals.ts'
import type { Effects } from '../../src/delegation/work/performer.ts'

/** Something that a worker asked for. */
export interface EffectCall {
  readonly action: Action
  readonly identity: string
  readonly serverName: string | undefined
  readonly generation: string | undefined
  readonly signal: AbortSignal
  /** Answers it, when it was told to be held. */
  answer(event: PresenceSignal | DelayedEventOutcome): void
}

type Answer = PresenceSignal | DelayedEventOutcome | 'hold'
type Decide = (call: EffectCall) => Answer

/** Homeservers and SFU as a worker sees them. */
export interface FakeEffects extends Effects {
  readonly calls: EffectCall[]
  /** What is answered from now on; `'hold'` gives no answer before the test or an abort does. */
  respond(decide: Decide): void
  /** How many calls have neither been answered nor aborted. */
  underWay(): number
  callsOf(action: Action): EffectCall[]
}

const FAILED = {
  'check-presence': { type: 'presence-unknown' },
  restart: { type: 'attempt-failed', answered: false },
  send: { type: 'attempt-failed', answered: false },
} as const

/** Makes one where everybody is present and every homeserver does as it is told at `now`. */
export function createEffects(now: () => number): FakeEffects {
  const calls: EffectCall[] = []
  let underWay = 0
  let decide: Decide = ({ action }) => {
    if (action === 'check-presence') return { type: 'present', participantId: 'PA_1' }
    return action === 'restart' ? { type: 'restarted', at: now() } : { type: 'sent' }
  }

  async function call(
    action: Action,
    about: ParticipantKey & Partial<Delegation>,
    signal: AbortSignal,
  ): Promise<PresenceSignal | DelayedEventOutcome> {
    const { identity, serverName, generation } = about
    const held = Promise.withResolvers<PresenceSignal | DelayedEventOutcome>()
    const made = { action, identity, serverName, generation, signal, answer: held.resolve }
    calls.push(made)
    underWay += 1
    signal.addEventListener('abort', () => held.resolve(FAILED[action]))
    const answer = decide(made)
    if (answer !== 'hold') held.resolve(answer)
    try {
      return await held.promise
    } finally {
      underWay -= 1
    }
  }

  return {
    calls,
    respond(next) {
      decide = next
    },
    underWay: () => underWay,
    callsOf: (action) => calls.filter((made) => made.action === action),
    checkPresence: (key, signal) => call('check-presence', key, signal) as Promise<PresenceSignal>,
    actOnEvent: (delegation, action, signal) =>
      call(action, delegation, signal) as Promise<DelayedEventOutcome>,
  }
}
