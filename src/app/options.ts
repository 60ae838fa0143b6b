import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'

/** Ports, timeouts and trusted roots that only tests change. */
export interface Tuning {
  readonly wellKnownPort?: number
  readonly federationPort?: number
  readonly wellKnownTimeoutMs?: number
  readonly dnsTimeoutMs?: number
  readonly attemptMs?: number
  readonly exchangeTimeoutMs?: number
  readonly clientApiTimeoutMs?: number
  /** How long a request of the own homeserver may take. */
  readonly answerWithinMs?: number
  readonly sfuTimeoutMs?: number
  readonly storeTimeoutMs?: number
  /** Trusted roots for homeservers in PEM form; default: those of the runtime. */
  readonly ca?: string
}

/** Options of the whole service. */
export interface AppOptions {
  readonly config: Config
  readonly logger: Logger
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds since some moment, never going back. */
  readonly monotonicNow: () => number
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number
  readonly metrics: Metrics
  /** How many outgoing requests the runtime makes at once. */
  readonly requestCap: number
  readonly tuning?: Tuning
}
