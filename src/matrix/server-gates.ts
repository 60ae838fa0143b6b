import type { Cancellation, CancellationSignal } from '../lib/cancellation.ts'
import { ExpiringCache } from '../lib/expiring-cache.ts'
import { Gate } from '../lib/gate.ts'
import type { ExchangeLimits } from './exchange-limits.ts'

/** The server of a request. */
export interface AskedServer {
  /** The same for all spellings of the server name. */
  readonly key: string
  /** Whether the operator named it. */
  readonly isNamed: boolean
}

/** Limits concurrent exchanges; servers that answered lately never wait for unknown ones. */
export interface ServerGates {
  /**
   * Runs `task` once the server has a free place; rejects as {@link Gate.run} does.
   *
   * @param asker - the client on whose behalf it runs, if that is known
   */
  run<T>(
    server: AskedServer,
    cancellation: Cancellation,
    task: (signal: CancellationSignal) => Promise<T>,
    asker?: string,
  ): Promise<T>
  /** Exchanges under way and waiting, of all kinds of servers. */
  usage(): { readonly running: number; readonly waiting: number }
}

const LATELY_MS = 600_000
const MAX_REMEMBERED = 10_000
/** A server without an answer for this long is no longer proven, even if the client hung up first. */
const SLOW_MS = 3_000

/**
 * Creates {@link ServerGates}.
 *
 * @param now - milliseconds since the epoch
 * @param latelyMs - how long a server stays proven after an answer
 */
export function createServerGates(
  limits: ExchangeLimits,
  now: () => number,
  latelyMs = LATELY_MS,
): ServerGates {
  const named = new Gate(limits.named)
  const proven = new Gate(limits.proven)
  const others = new Gate(limits.others)
  const answeredLately = new ExpiringCache<true>({ maxEntries: MAX_REMEMBERED, now })

  function ask<T>(key: string, task: () => Promise<T>): Promise<T> {
    const startedAt = now()
    return task().then(
      (answer) => {
        answeredLately.put(key, true, latelyMs)
        return answer
      },
      (error: unknown) => {
        if (now() - startedAt >= SLOW_MS) answeredLately.delete(key)
        throw error
      },
    )
  }

  function gateFor({ key, isNamed }: AskedServer): Gate {
    if (isNamed) return named
    return answeredLately.has(key) ? proven : others
  }

  return {
    usage() {
      const gates = [named, proven, others]
      return {
        running: gates.reduce((sum, gate) => sum + gate.running, 0),
        waiting: gates.reduce((sum, gate) => sum + gate.waiting, 0),
      }
    },
    run(server, cancellation, task, asker) {
      const { key } = server
      return gateFor(server).run({ key, asker }, cancellation, (inner) => {
        return ask(key, () => task(inner))
      })
    },
  }
}
