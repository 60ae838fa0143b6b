import { backoffMs } from './backoff.ts'

/** What is known of a server: whether it has answered lately, never yet, or has just failed to. */
type Standing = 'proven' | 'unproven' | 'troubled'

/** How many actions may be under way at one server. */
const SLOTS: Readonly<Record<Standing, number>> = { proven: 32, unproven: 8, troubled: 4 }
/** How many in all: the runtime makes no more than 256 requests at once, and the rest are for clients. */
export const ALL_SLOTS = 96
/** How many at all servers of a standing: those that do not answer must leave room. */
const POOLS: Readonly<Record<Standing, number>> = { proven: ALL_SLOTS, unproven: 24, troubled: 24 }

const BUSY_RETRY_MS = 150
const MAX_TROUBLE = 6
/** Failures of the same moment are one. */
const TROUBLE_STEP_MS = 500
const PROVEN_FOR_MS = 600_000
const FORGET_ABOVE = 1_000

interface Server {
  readonly name: string
  running: number
  /** How often in a row it has failed, a moment apart each time. */
  trouble: number
  /** Milliseconds since the epoch. */
  failedAt: number
  answeredAt: number
}

/** One action that may be under way. */
export interface Slot {
  readonly server: Server
  readonly standing: Standing
}

/** Shares out how many actions are under way among servers, so that none holds up the others. */
export class ServerSlots {
  readonly #servers = new Map<string, Server>()
  readonly #taken: Record<Standing, number> = { proven: 0, unproven: 0, troubled: 0 }

  /** Takes a slot; gives `undefined` when there is none for that server. */
  take(name: string, now: number): Slot | undefined {
    const server = this.#servers.get(name) ?? newServer(name)
    const standing = standingOf(server, now)
    if (server.running >= SLOTS[standing]) return undefined
    // Half of what is free stays free for others.
    const { proven, unproven, troubled } = this.#taken
    if (server.running >= ALL_SLOTS - proven - unproven - troubled) return undefined
    if (this.#taken[standing] >= POOLS[standing]) return undefined
    this.#servers.set(name, server)
    this.#count({ server, standing }, 1)
    return { server, standing }
  }

  /**
   * Gives a slot back.
   *
   * @param outcome - whether the server answered; `given-up` when nobody waited for it
   */
  giveBack(slot: Slot, outcome: 'answered' | 'failed' | 'given-up', now: number): void {
    const { server } = slot
    this.#count(slot, -1)
    if (outcome === 'answered') {
      server.trouble = 0
      server.answeredAt = now
    }
    if (outcome === 'failed') noteFailure(server, now)
    if (this.#servers.size > FORGET_ABOVE) this.#forgetOld(now)
  }

  /**
   * How long an action that found no slot is put off, in milliseconds.
   *
   * @param random - from 0 up to, not including, 1
   */
  retryInMs(name: string, random: number): number {
    const trouble = this.#servers.get(name)?.trouble ?? 0
    return trouble === 0 ? BUSY_RETRY_MS * (0.5 + random) : backoffMs(trouble, random)
  }

  #count({ server, standing }: Slot, difference: 1 | -1): void {
    server.running += difference
    this.#taken[standing] += difference
  }

  #forgetOld(now: number): void {
    for (const [name, { running, failedAt, answeredAt }] of this.#servers) {
      const isOld = now - Math.max(failedAt, answeredAt) > PROVEN_FOR_MS
      if (running === 0 && isOld) this.#servers.delete(name)
    }
  }
}

function newServer(name: string): Server {
  const never = Number.NEGATIVE_INFINITY
  return { name, running: 0, trouble: 0, failedAt: never, answeredAt: never }
}

function standingOf({ trouble, answeredAt }: Server, now: number): Standing {
  if (trouble > 0) return 'troubled'
  return now - answeredAt <= PROVEN_FOR_MS ? 'proven' : 'unproven'
}

function noteFailure(server: Server, now: number): void {
  if (server.trouble > 0 && now - server.failedAt < TROUBLE_STEP_MS) return
  server.trouble = Math.min(server.trouble + 1, MAX_TROUBLE)
  server.failedAt = now
}
