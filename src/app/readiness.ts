import type { Readiness } from '../routes/operation.ts'

/** What is known about this replica. */
export interface ReplicaFacts {
  readonly isShuttingDown: boolean
  /** How long the worker has not begun a round, in milliseconds. */
  readonly workerSilentMs: number
  /** How long the oldest due delegation has waited, in milliseconds; 0 if none is due. */
  readonly overdueMs: number
  readonly isStoreAway: boolean
  /** Whether no token is handed out to the homeserver that the store does not remember. */
  readonly areTokensKept: boolean
  /** Why the last call of the SFU's API failed, if the cause is on our side. */
  readonly sfuTrouble: string | undefined
}

/** How the reasons begin that are about a part outside of the service. */
export const STORE_AWAY = 'the state store is away'
export const SFU_UNUSABLE = 'the SFU cannot be used'

const NO_DELEGATIONS = `${STORE_AWAY}: delegations are refused`
const TOKENS_TOO = 'and so are the tokens that the homeserver asks for'
/** A round takes well under a second; a store that is away holds one up for some. */
const MAX_SILENT_MS = 15_000
/** Longer than the longest lease. */
const MAX_OVERDUE_MS = 15_000

/**
 * Decides whether a replica should get requests. Only what a restart, or another replica, can help with
 * makes it unready: while the store is away, tokens are handed out by OpenID token.
 */
export function readinessOf(facts: ReplicaFacts): Readiness {
  const { isShuttingDown, workerSilentMs, overdueMs, isStoreAway, areTokensKept, sfuTrouble } =
    facts
  const severe: string[] = []
  if (isShuttingDown) severe.push('shutting down')
  if (workerSilentMs > MAX_SILENT_MS) {
    severe.push(`the worker has stood still for ${Math.round(workerSilentMs / 1000)} s`)
  }
  if (!isStoreAway && overdueMs > MAX_OVERDUE_MS) {
    severe.push(`the worker is ${Math.round(overdueMs / 1000)} s behind`)
  }
  const mild: string[] = []
  if (isStoreAway) mild.push(areTokensKept ? `${NO_DELEGATIONS}, ${TOKENS_TOO}` : NO_DELEGATIONS)
  if (sfuTrouble !== undefined) mild.push(`${SFU_UNUSABLE}: ${sfuTrouble}`)
  const reasons = [...severe, ...mild]
  if (severe.length > 0) return { status: 'unready', reasons }
  return { status: mild.length > 0 ? 'degraded' : 'ready', reasons }
}
