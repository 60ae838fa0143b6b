import { assembleHomeservers } from '../../src/app/homeservers.ts'
import type { Tuning } from '../../src/app/options.ts'
import { createLogger } from '../../src/log.ts'
import { NO_METRICS } from '../../src/metrics.ts'
import { configOf } from '../support/app.ts'
import type { Stage } from '../support/federation-stage.ts'

/** What {@link accessHomeservers} can be told. */
export interface AccessOptions {
  /** Environment variables beside the required ones. */
  readonly env?: Readonly<Record<string, string>>
  readonly tuning?: Tuning
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const ENV = {
  LIVEKIT_FULL_ACCESS_HOMESERVERS: 'operator.test',
  LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/30,::1',
}

/**
 * The parts of the service that reach homeservers, as it puts them together, with the stage's authority
 * trusted and 127.0.0.1 to 127.0.0.3 and ::1 permitted to strangers.
 */
export function accessHomeservers(stage: Stage, options: AccessOptions = {}) {
  const { env = {}, tuning = {}, now = Date.now } = options
  return assembleHomeservers({
    config: configOf({ ...ENV, ...env }),
    logger: createLogger({ level: 'error', format: 'json', now, write: () => {} }),
    metrics: NO_METRICS,
    requestCap: 256,
    version: '0.0.0-test',
    now,
    monotonicNow: () => performance.now(),
    random: Math.random,
    tuning: { ca: stage.authority.caPem, ...tuning },
  })
}

/** A signal that never fires. */
export function never(): AbortSignal {
  return new AbortController().signal
}
