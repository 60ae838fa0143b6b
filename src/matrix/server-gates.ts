import { ExpiringCache } from '../net/expiring-cache.ts'
import { Gate } from '../net/gate.ts'
import type { ExchangeLimits } from './exchange-limits.ts'

/** A server that something is asked of. */
export interface AskedServer {
  /** The same for every spelling of the server name. */
  readonly key: string
  /** Whether the operator has named it. */
  readonly isNamed: boolean
}

/** Bounds exchanges with servers: those that have answered lately do not wait for strangers. */
export interface ServerGates {
  /** Runs `task` when there is room for the server; fails as {@link Gate.run} does. */
  run<T>(
    server: AskedServer,
    controller: AbortController,
    task: (signal: AbortSignal) => Promise<T>,
  ): Promise<T>
}

const LATELY_MS = 600_000
const MAX_REMEMBERED = 10_000
/** A server that gives no answer for so long is proven no more, even when it was the client that left. */
const SLOW_MS = 3_000

/**
 * Makes the gates.
 *
 * @param now - milliseconds since the epoch
 * @param latelyMs - for how long a server that has answered is proven
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
    run(server, controller, task) {
      return gateFor(server).run(server.key, controller, (inner) => {
        return ask(server.key, () => task(inner))
      })
    },
  }
}
