import type { ApplicationServiceConfig } from '../config/application-service.ts'
import type { StateConfig } from '../config/combined.ts'
import type { Delegations } from '../delegation/delegations.ts'
import type { ParticipantKey } from '../delegation/life/record.ts'
import { IN_MEMORY } from '../delegation/store/sqlite-database.ts'
import { createMemberLeave } from '../exchange/member-leave.ts'
import { createMemberTokens, TooManyTokens } from '../exchange/member-tokens.ts'
import { createRelay } from '../exchange/relay.ts'
import { Gate } from '../lib/gate.ts'
import { requestBudget } from '../lib/request-budget.ts'
import type { TokenSigner } from '../livekit/access-token.ts'
import type { RoomService } from '../livekit/room-service.ts'
import { createOwnHomeserver } from '../matrix/own-homeserver.ts'
import { Enforcement } from '../membership/enforcement.ts'
import { createExpulsion } from '../membership/expulsion.ts'
import { createMembership } from '../membership/membership.ts'
import { refreshedUntil, rememberUntil } from '../membership/refreshed-tokens.ts'
import { createRoomEnforcer } from '../membership/room-enforcer.ts'
import type { Admission } from '../membership/store/admissions.ts'
import { type KeptAdmissions, keepAdmissions } from '../membership/store/kept-admissions.ts'
import { openRedisAdmissions } from '../membership/store/redis-admissions.ts'
import { SqliteAdmissions } from '../membership/store/sqlite-admissions.ts'
import type { MembershipPurpose } from '../metrics.ts'
import { countMembershipChecks, countRemovals } from './counting-members.ts'
import type { Homeservers } from './homeservers.ts'
import type { AppOptions } from './options.ts'

/** Relayed requests to one destination; a slow one must leave places for the others. */
const RELAYS_PER_DESTINATION = 4
/** How long a relayed request keeps its place while another destination waits for one. */
const RELAY_PATIENCE_MS = 6_000
const MAX_WAITING = 4_096
const MAX_TOKENS_PER_USER = 100
/** The SFU takes tokens for about a minute after they have expired. */
const CLOCK_SKEW_MS = 60_000

/** The other parts that application-service mode needs. */
export interface ApplicationServiceParts {
  readonly homeservers: Homeservers
  readonly rooms: RoomService
  readonly signer: TokenSigner
  readonly delegations: Delegations
  /** The clock of delegations, which all replicas share: milliseconds since the epoch. */
  readonly now: () => number
  /** Has `listener` called when the state store has come back empty or older. */
  readonly onDataLost: (listener: () => void) => void
}

async function openAdmissions(state: StateConfig, timeoutMs: number | undefined) {
  if (state.kind === 'redis') {
    return keepAdmissions(await openRedisAdmissions({ url: state.url, timeoutMs }))
  }
  const store = new SqliteAdmissions(state.kind === 'file' ? state.path : IN_MEMORY)
  return { store, refill: async () => 0 }
}

/** Gates of requests to our homeserver: for tokens, for enforcement, and for what it passes on. */
type MemberGates = Readonly<Record<MembershipPurpose | 'relay', Gate>>

function createGates(requestCap: number): MemberGates {
  const { membership, relays, membershipChecks } = requestBudget(requestCap)
  const gateOf = (total: number, perKey = total, patienceMs?: number) => {
    return new Gate({ perKey, total, maxWaiting: MAX_WAITING, ...(patienceMs && { patienceMs }) })
  }
  return {
    token: gateOf(membership),
    enforcement: gateOf(membershipChecks),
    relay: gateOf(relays, RELAYS_PER_DESTINATION, RELAY_PATIENCE_MS),
  }
}

function ownHomeserver(
  mode: ApplicationServiceConfig,
  { locator, request }: Homeservers,
  { now, tuning, metrics }: AppOptions,
  gates: MemberGates,
  purpose: MembershipPurpose,
) {
  const homeserver = createOwnHomeserver({
    ...mode,
    locator,
    request,
    now,
    timeoutMs: tuning?.clientApiTimeoutMs,
    gate: gates[purpose],
    relayGate: gates.relay,
  })
  return countMembershipChecks(homeserver, purpose, metrics)
}

function assembleEnforcement(
  mode: ApplicationServiceConfig,
  options: AppOptions,
  parts: ApplicationServiceParts,
  { store, refill }: Pick<KeptAdmissions, 'store' | 'refill'>,
  gates: MemberGates,
) {
  const { homeservers, rooms, delegations, now, onDataLost } = parts
  const { logger, requestCap, metrics } = options
  const { serverName, membershipCheckMs: intervalMs } = mode
  const dropDelegation = ({ room, identity }: ParticipantKey) => {
    return delegations.report({ room, identity, signal: { type: 'expelled' } })
  }
  const homeserver = ownHomeserver(mode, homeservers, options, gates, 'enforcement')
  const counted = countRemovals(rooms, metrics)
  const onPresent = (admission: Admission) => {
    return rememberUntil(store, admission, refreshedUntil(now(), intervalMs), now())
  }
  const expulsion = createExpulsion({ rooms: counted, dropDelegation, onPresent, logger })
  const enforcement = new Enforcement({
    store,
    async refill() {
      const restored = await refill(now())
      if (restored > 0) logger.warn(REFILLED, { restored })
    },
    enforcer: createRoomEnforcer({
      ...{ store, homeserver, serverName, rooms, expulsion, intervalMs, now, logger },
    }),
    intervalMs,
    maxRunning: requestBudget(requestCap).membershipChecks,
    now,
    onBug(error) {
      const cause = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error'
      logger.warn('the members of a room could not be checked', { cause })
    },
  })
  onDataLost(() => enforcement.noteDataLost())
  return enforcement
}

const REFILLED = 'the state store has lost tokens, which were remembered again'

/** Assembles application-service mode; `undefined` when it is not configured. */
export async function assembleApplicationService(
  options: AppOptions,
  parts: ApplicationServiceParts,
) {
  const { config, tuning } = options
  const mode = config.applicationService
  if (mode === undefined) return undefined
  const { homeservers, rooms, signer, delegations, now } = parts
  const { liveKitUrl, tokenTtlSeconds, canUpdateOwnMetadata } = config
  const { serverName, asToken, hsToken, membershipCheckMs } = mode
  const gates = createGates(options.requestCap)
  const homeserver = ownHomeserver(mode, homeservers, options, gates, 'token')
  const isEnforced = membershipCheckMs > 0
  const kept = isEnforced ? await openAdmissions(config.state, tuning?.storeTimeoutMs) : undefined
  const store = kept?.store
  const enforcement = kept && assembleEnforcement(mode, options, parts, kept, gates)

  const memberTokens = createMemberTokens({
    ...{ serverName, liveKitUrl, rooms, signer, tokenTtlSeconds, canUpdateOwnMetadata },
    membership: createMembership(homeserver),
    relay: createRelay(homeserver),
    async remember(token) {
      const at = now()
      const admission = { ...token, expiresAt: at + tokenTtlSeconds * 1000 + CLOCK_SKEW_MS }
      // Before the token expires, however long the interval is.
      const checkAt = at + Math.min(membershipCheckMs, (tokenTtlSeconds * 1000) / 2)
      const outcome = await store?.put(admission, MAX_TOKENS_PER_USER, at, checkAt)
      if (outcome === 'user-full') throw new TooManyTokens()
      return {
        async takeBack() {
          // A former token of the participant may still be in use. If the store is away, it expires.
          if (outcome === 'stored') await store?.forget(admission).catch(() => {})
        },
      }
    },
  })
  const { locator, clientApi } = homeservers
  const takeOverLeave = createMemberLeave({
    ...{ serverName, asToken, liveKitUrl, locator, clientApi, delegations },
  })
  return { memberTokens, takeOverLeave, serverName, hsToken, enforcement, store, gates }
}
