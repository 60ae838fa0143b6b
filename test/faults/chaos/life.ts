import { pick } from '../../support/random.ts'
import { type Caller, createCaller } from '../support/caller.ts'
import type { Stage } from '../support/stage.ts'
import type { Replicas } from './replicas.ts'
import type { Delivery, Postman } from './webhooks.ts'

/** What a life needs. */
export interface World {
  readonly stage: Stage
  readonly replicas: Replicas
  readonly postman: Postman
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Delayed events of those who are connected, or are about to connect: they must not be sent. */
  readonly precious: Set<string>
}

/** What happened in a life. Times are milliseconds since the epoch. */
export interface Life {
  readonly kind: 'simple' | 'swaps' | 'returns' | 'never joins'
  readonly caller: Caller
  readonly delayMs: number
  /** When the participant left for good; when it was accepted, for one that never joined. */
  readonly leftAt: number
  /** Of the webhook that told that. */
  readonly left: Delivery | undefined
  /** Of all that the SFU told before. */
  readonly before: readonly Delivery[]
}

const REASONS = [undefined, 'CLIENT_INITIATED', 'PARTICIPANT_REMOVED', 'SIGNAL_CLOSE'] as const

async function delegate({ replicas }: World, caller: Caller, random: () => number) {
  for (;;) {
    const url = replicas.anyUrl(random)
    const answer = caller.delegate({ url }).then(
      ({ status }) => status,
      () => 0,
    )
    if ((await Promise.race([answer, Bun.sleep(2_000)])) === 200) return
    await Bun.sleep(20 + random() * 80)
  }
}

/** Lives one life to its end: somebody delegates, joins, perhaps comes and goes, and leaves. */
export async function live(world: World, random: () => number): Promise<Life> {
  const { stage, postman, precious, minDelayMs, maxDelayMs } = world
  const delayMs = Math.round(minDelayMs + random() * (maxDelayMs - minDelayMs))
  const kind = pick(random, 'simple', 'simple', 'simple', 'swaps', 'returns', 'never joins')
  let caller = createCaller({ home: stage, sfu: stage.sfu, delayMs })
  const told: Promise<Delivery>[] = []

  function tell(event: string, sid: string, disconnectReason?: string): Promise<Delivery> {
    const reason = disconnectReason === undefined ? {} : { disconnectReason }
    const joinedAtMs = caller.connectedAt(sid)
    const participant = { identity: caller.identity, sid, joinedAtMs, ...reason }
    return postman.report({ event, room: { name: caller.room }, participant }, random)
  }

  function leave(): void {
    caller.disconnect()
    precious.delete(caller.delayId)
  }
  async function begin(): Promise<void> {
    if (kind !== 'never joins') precious.add(caller.delayId)
    await delegate(world, caller, random)
  }
  async function join(): Promise<void> {
    await Bun.sleep(random() * 600)
    caller.connect()
    told.push(tell('participant_joined', caller.sid))
    await Bun.sleep(300 + random() ** 2 * 12_000)
  }

  await begin()
  if (kind === 'never joins') {
    return { kind, caller, delayMs, leftAt: Date.now(), left: undefined, before: [] }
  }
  await join()
  if (kind === 'swaps') {
    const former = caller.sid
    caller.connect(`${former}_2`)
    told.push(tell('participant_joined', caller.sid))
    told.push(tell('participant_left', former, 'DUPLICATE_IDENTITY'))
    await Bun.sleep(300 + random() * 6_000)
  }
  if (kind === 'returns') {
    leave()
    stage.events.cancel(caller.delayId)
    told.push(tell('participant_left', caller.sid, 'CLIENT_INITIATED'))
    await Bun.sleep(random() ** 2 * 2_000)
    caller = caller.again()
    await begin()
    await join()
  }
  leave()
  const leftAt = Date.now()
  const left = await tell('participant_left', caller.sid, pick(random, ...REASONS))
  return { kind, caller, delayMs, leftAt, left, before: await Promise.all(told) }
}
