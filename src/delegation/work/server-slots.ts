import { backoffMs } from '../life/timing.ts'

/** `proven`: answered lately. `unproven`: no recent answer. `troubled`: its last request failed. */
type Standing = 'proven' | 'unproven' | 'troubled'

/** Concurrent actions per server; a proven one gets more while its answers are fast. */
const SLOTS: Readonly<Record<Standing, number>> = { proven: 32, unproven: 8, troubled: 4 }
/** Concurrent actions at all unproven, and at all troubled servers: silent ones must leave room. */
const POOL = 24
/** Answers within this time show that the server can take more. */
const FAST_MS = 250
/** Answers slower than this show that the server is overloaded. */
const SLOW_MS = 1_000

const BUSY_RETRY_MS = 150
const MAX_TROUBLE = 6
/** Failures within this time count as one. */
const TROUBLE_STEP_MS = 500
const PROVEN_FOR_MS = 600_000
const FORGET_ABOVE = 1_000

interface Server {
  readonly name: string
  running: number
  /** Failures in a row. */
  trouble: number
  /** Milliseconds since the epoch. */
  failedAt: number
  answeredAt: number
  /** Concurrent actions while it is proven. */
  slots: number
  slowAt: number
}

/** Permission for one action. */
export interface Slot {
  readonly server: Server
  readonly standing: Standing
  /** Milliseconds since the epoch. */
  readonly takenAt: number
}

/** Limits concurrent actions per server, so that no server holds up the others. */
export class ServerSlots {
  readonly #servers = new Map<string, Server>()
  readonly #taken: Record<Standing, number> = { proven: 0, unproven: 0, troubled: 0 }
  readonly #total: number
  /** Callers that wait for a slot, by server. */
  readonly #queues = new Map<string, Set<(slot: Slot | undefined) => void>>()

  /** @param total - limit for all servers together */
  constructor(total: number) {
    this.#total = total
  }

  /** How many actions are under way. */
  get running(): number {
    const { proven, unproven, troubled } = this.#taken
    return proven + unproven + troubled
  }

  /** How many callers wait for a slot. */
  get waiting(): number {
    return [...this.#queues.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Takes a slot, or returns `undefined` if none is free for that server. */
  take(name: string, now: number): Slot | undefined {
    const server = this.#servers.get(name) ?? newServer(name)
    const standing = standingOf(server, now)
    if (server.running >= slotsOf(server, standing)) return undefined
    // No server takes more than half of the free slots.
    const { proven, unproven, troubled } = this.#taken
    if (server.running >= this.#total - proven - unproven - troubled) return undefined
    if (standing !== 'proven' && this.#taken[standing] >= POOL) return undefined
    this.#servers.set(name, server)
    const slot = { server, standing, takenAt: now }
    this.#count(slot, 1)
    return slot
  }

  /** Waits a moment for a slot, first come, first served; returns `undefined` if none became free. */
  wait(name: string): Promise<Slot | undefined> {
    const queue = this.#queues.get(name) ?? new Set()
    if (queue.size >= (this.#servers.get(name)?.slots ?? 0)) return Promise.resolve(undefined)
    this.#queues.set(name, queue)
    return new Promise((resolve) => {
      const end = (slot: Slot | undefined) => {
        clearTimeout(timer)
        queue.delete(end)
        if (queue.size === 0) this.#queues.delete(name)
        resolve(slot)
      }
      const timer = setTimeout(end, BUSY_RETRY_MS)
      queue.add(end)
    })
  }

  /** Passes a free slot on, first to those who wait for the same server. */
  #serveQueues(first: string, now: number): void {
    for (const name of [first, ...this.#queues.keys()]) {
      const [next] = this.#queues.get(name) ?? []
      const slot = next === undefined ? undefined : this.take(name, now)
      if (slot === undefined) continue
      next?.(slot)
      return
    }
  }

  /**
   * Returns a slot.
   *
   * @param outcome - whether the server answered; `given-up` when the action was aborted
   */
  giveBack(slot: Slot, outcome: 'answered' | 'failed' | 'given-up', now: number): void {
    const { server } = slot
    if (outcome === 'answered') noteAnswer(slot, now)
    this.#count(slot, -1)
    if (outcome === 'failed') noteFailure(server, now)
    this.#serveQueues(server.name, now)
    if (this.#servers.size > FORGET_ABOVE) this.#forgetOld(now)
  }

  /**
   * How long to postpone an action that found no slot, in milliseconds.
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
  const times = { failedAt: never, answeredAt: never, slowAt: never }
  return { name, running: 0, trouble: 0, slots: SLOTS.proven, ...times }
}

function slotsOf({ slots }: Server, standing: Standing): number {
  return standing === 'proven' ? slots : SLOTS[standing]
}

/** One slot more for each fast answer while all are in use; a quarter less after a slow answer. */
function noteAnswer({ server, standing, takenAt }: Slot, now: number): void {
  const tookMs = now - takenAt
  const isFull = server.running >= server.slots - 1
  if (standing === 'proven' && isFull && tookMs <= FAST_MS) server.slots += 1
  if (tookMs > SLOW_MS && now - server.slowAt >= TROUBLE_STEP_MS) {
    server.slots = Math.max(SLOTS.unproven, Math.floor(server.slots * 0.75))
    server.slowAt = now
  }
  server.trouble = 0
  server.answeredAt = now
}

function standingOf({ trouble, answeredAt }: Server, now: number): Standing {
  if (trouble > 0) return 'troubled'
  return now - answeredAt <= PROVEN_FOR_MS ? 'proven' : 'unproven'
}

function noteFailure(server: Server, now: number): void {
  if (server.trouble > 0 && now - server.failedAt < TROUBLE_STEP_MS) return
  server.slots = SLOTS.proven
  server.trouble = Math.min(server.trouble + 1, MAX_TROUBLE)
  server.failedAt = now
}
