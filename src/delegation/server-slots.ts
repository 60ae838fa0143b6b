import { backoffMs } from './backoff.ts'

const SLOTS = 32
/** A homeserver that does not answer must not take the slots of those that do. */
const SLOTS_IN_TROUBLE = 4
const BUSY_RETRY_MS = 50
const MAX_TROUBLE = 6

interface Server {
  running: number
  /** Failures in a row. */
  failures: number
}

/** Bounds how many delegations of one homeserver are acted on at a time. */
export class ServerSlots {
  readonly #servers = new Map<string, Server>()

  /** Takes a slot; gives `false` when there is none. */
  take(serverName: string): boolean {
    const server = this.#servers.get(serverName) ?? { running: 0, failures: 0 }
    if (server.running >= (server.failures > 0 ? SLOTS_IN_TROUBLE : SLOTS)) return false
    server.running += 1
    this.#servers.set(serverName, server)
    return true
  }

  /** Gives a slot back, and notes whether the homeserver answered. */
  giveBack(serverName: string, answered: boolean): void {
    const server = this.#servers.get(serverName)
    if (server === undefined) return
    server.running -= 1
    server.failures = answered ? 0 : Math.min(server.failures + 1, MAX_TROUBLE)
    if (server.running === 0 && server.failures === 0) this.#servers.delete(serverName)
  }

  /**
   * How long a delegation that found no slot is put off, in milliseconds.
   *
   * @param random - from 0 up to, not including, 1
   */
  retryInMs(serverName: string, random: number): number {
    const failures = this.#servers.get(serverName)?.failures ?? 0
    return failures === 0 ? BUSY_RETRY_MS * (0.5 + random) : backoffMs(failures, random)
  }
}
