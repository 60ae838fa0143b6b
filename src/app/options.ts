import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'

/** Ports, time limits and trust that only tests have a reason to change. */
export interface Tuning {
  readonly wellKnownPort?: number
  readonly federationPort?: number
  readonly wellKnownTimeoutMs?: number
  readonly dnsTimeoutMs?: number
  readonly attemptMs?: number
  readonly exchangeTimeoutMs?: number
  readonly clientApiTimeoutMs?: number
  readonly sfuTimeoutMs?: number
  readonly storeTimeoutMs?: number
  /** Trusted roots of homeservers in PEM form; those of the runtime unless given. */
  readonly ca?: string
}

/** What the service is made of beside its configuration. */
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
  /** How many requests the runtime makes at once. */
  readonly requestCap: number
  readonly tuning?: Tuning
}
