import { backoffMs } from './backoff.ts'

const SLOTS = 32
/** A server that does not answer must not take the slots of those that do. */
const SLOTS_IN_TROUBLE = 4
const BUSY_RETRY_MS = 50
const MAX_TROUBLE = 6
/** Failures of the same moment are one. */
const TROUBLE_STEP_MS = 500
const FORGET_AFTER_MS = 60_000
const FORGET_ABOVE = 1_000

interface Server {
  running: number
  /** How often in a row it has failed, a moment apart each time. */
  trouble: number
  /** Milliseconds since the epoch. */
  failedAt: number
}

/** Bounds how many actions are under way at each server. */
export class ServerSlots {
  readonly #servers = new Map<string, Server>()

  /** Takes a slot; gives `false` when there is none. */
  take(name: string): boolean {
    const server = this.#servers.get(name) ?? { running: 0, trouble: 0, failedAt: 0 }
    if (server.running >= (server.trouble > 0 ? SLOTS_IN_TROUBLE : SLOTS)) return false
    server.running += 1
    this.#servers.set(name, server)
    return true
  }

  /**
   * Gives a slot back.
   *
   * @param outcome - whether the server answered; `given-up` when nobody waited for it
   */
  giveBack(name: string, outcome: 'answered' | 'failed' | 'given-up', now: number): void {
    const server = this.#servers.get(name)
    if (server === undefined) return
    server.running -= 1
    if (outcome === 'answered') server.trouble = 0
    if (outcome === 'failed') this.#noteFailure(server, now)
    if (server.running === 0 && server.trouble === 0) this.#servers.delete(name)
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

  #noteFailure(server: Server, now: number): void {
    if (server.trouble > 0 && now - server.failedAt < TROUBLE_STEP_MS) return
    server.trouble = Math.min(server.trouble + 1, MAX_TROUBLE)
    server.failedAt = now
  }

  #forgetOld(now: number): void {
    for (const [name, { running, failedAt }] of this.#servers) {
      if (running === 0 && now - failedAt > FORGET_AFTER_MS) this.#servers.delete(name)
    }
  }
}
