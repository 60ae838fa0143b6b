import { createAuthorisation } from '../exchange/authorisation.ts'
import { createLeaveTakeover } from '../exchange/leave-takeover.ts'
import { createTokenExchange } from '../exchange/token-exchange.ts'
import { Gate } from '../lib/gate.ts'
import { requestBudget } from '../lib/request-budget.ts'
import { createTokenSigner } from '../livekit/access-token.ts'
import { createRoomService } from '../livekit/room-service.ts'
import { assembleDelegation } from './assemble-delegation.ts'
import { assembleApplicationService } from './assemble-members.ts'
import { watchSfu } from './assemble-operation.ts'
import { assembleHomeservers } from './homeservers.ts'
import type { AppOptions } from './options.ts'

const MAX_WAITING_CREATIONS = 4_096

/** Everything that the endpoints and the operator are served with. */
export type Parts = Awaited<ReturnType<typeof assembleParts>>

/**
 * Assembles everything but the endpoints.
 *
 * @throws {StoreUnavailable} when the state file cannot be used
 */
export async function assembleParts(options: AppOptions) {
  const { config, now, metrics, tuning = {} } = options
  const total = requestBudget(options.requestCap).roomCreations
  const creationGate = new Gate({ perKey: total, total, maxWaiting: MAX_WAITING_CREATIONS })
  const sfu = watchSfu()
  const { fullAccess, restrictedCanPublish, tokenTtlSeconds, canUpdateOwnMetadata } = config
  const signer = createTokenSigner(config.credentials, now)
  const rooms = createRoomService({
    sfuUrl: config.liveKitInternalUrl,
    signer,
    now,
    timeoutMs: tuning.sfuTimeoutMs,
    creationGate,
    onCall(method, outcome, durationMs) {
      sfu.note(outcome)
      metrics.noteSfuCall(method, outcome, durationMs / 1_000)
    },
  })
  const homeservers = assembleHomeservers(options)
  const { verify, locator, clientApi } = homeservers
  const delegation = await assembleDelegation(options, { rooms, locator, clientApi })
  const applicationService = await assembleApplicationService(options, {
    ...{ homeservers, rooms, signer, ...delegation },
  })
  const authorise = createAuthorisation(verify, { fullAccess, restrictedCanPublish })
  const takeover = createLeaveTakeover(locator, delegation.delegations)
  const tokenExchange = createTokenExchange({
    ...{ takeover, rooms, signer, tokenTtlSeconds, canUpdateOwnMetadata },
  })
  const { gates } = homeservers
  const watched = { creationGate, sfu, rooms, gates, ...delegation }
  return { authorise, tokenExchange, takeover, applicationService, ...watched }
}
