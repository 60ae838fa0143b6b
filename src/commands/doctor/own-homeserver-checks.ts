import type { CauseCode } from '../../catalogue/catalogue.ts'
import type { ApplicationServiceConfig } from '../../config/application-service.ts'
import { memberOf, parseJson, textMember } from '../../lib/json.ts'
import { VERSIONS_PATH } from '../../matrix/delayed-events.ts'
import { answerText, exchangeTrouble, matrixErrorCode } from '../../matrix/exchange-trouble.ts'
import { homeserverFailure, isJoinedPath } from '../../matrix/own-homeserver-api.ts'
import { serverNameOfUser } from '../../matrix/server-name.ts'
import type { Answer, Call } from '../../net/bounded-fetch.ts'
import { isRequestFailure } from '../../net/request-failure.ts'
import type { Trouble } from '../../trouble.ts'
import type { HomeserverClients } from './homeserver-clients.ts'
import type { Report } from './report.ts'

/** What the checks of application-service mode need. */
export interface OwnHomeserverCheckParts {
  readonly mode: ApplicationServiceConfig
  readonly clients: HomeserverClients
  readonly report: Report
}

const WHOAMI = '/_matrix/client/v3/account/whoami'
const PROXIED = '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token'

/** Asks the homeserver as its application service. */
type Ask = (call: Omit<Call, 'accessToken'>) => Promise<Answer>

/** Whether the as_token is known, to the homeserver that we mean. */
async function checkAsToken({ mode, report }: OwnHomeserverCheckParts, ask: Ask): Promise<boolean> {
  const answer = await ask({ method: 'GET', path: WHOAMI })
  const userId = textMember(parseJson(answer.body), 'user_id')
  if (answer.status !== 200 || userId === undefined) {
    report.problem('homeserver', homeserverFailure(answer, WHOAMI).trouble)
    return false
  }
  const found = serverNameOfUser(userId)
  if (found !== mode.serverName) {
    const text = `it is "${found?.slice(0, 100)}", and not ${mode.serverName}`
    report.problem('homeserver', { code: 'homeserver.other-server-name', found: text })
    return false
  }
  report.ok('homeserver', `it knows the as_token, as that of ${userId}`)
  return true
}

/** Whether the service may ask who is in a room. */
async function checkScope({ mode, report }: OwnHomeserverCheckParts, ask: Ask): Promise<void> {
  const { serverName } = mode
  const versions = parseJson((await ask({ method: 'GET', path: VERSIONS_PATH })).body)
  const features = memberOf(versions, 'unstable_features')
  const isStable = memberOf(features, 'io.element.msc4502.stable') === true
  const path = isJoinedPath(`!doctor:${serverName}`, { serverName }, isStable)
  const answer = await ask({ method: 'GET', path })
  if (typeof memberOf(parseJson(answer.body), 'joined') === 'boolean') {
    return report.ok('homeserver', 'it tells the service who is in a room')
  }
  report.problem('homeserver', homeserverFailure(answer, 'is_joined').trouble)
}

/** What the answer of the proxy means, where the service itself would refuse an empty body. */
function proxyTrouble(answer: Answer): Trouble<CauseCode> | undefined {
  const { status } = answer
  const errcode = matrixErrorCode(answer)
  const found = answerText(answer, PROXIED)
  if (status === 400 && errcode === 'M_BAD_JSON') return undefined
  if (errcode === 'M_UNKNOWN_TOKEN') return { code: 'homeserver.hs-token-unknown', found }
  if (status === 404) return { code: 'homeserver.no-proxy', found }
  return { code: 'homeserver.proxy-cannot-reach', found }
}

/** Whether requests of clients arrive here through the homeserver, with the right hs_token. */
async function checkProxy({ report }: OwnHomeserverCheckParts, ask: Ask): Promise<void> {
  const trouble = proxyTrouble(await ask({ method: 'POST', path: PROXIED, body: '{}' }))
  if (trouble !== undefined) return report.problem('homeserver', trouble)
  report.ok(
    'homeserver',
    'it passes requests of clients on to the service, with the right hs_token',
  )
}

/**
 * Checks what application-service mode needs of our homeserver.
 *
 * @param baseUrl - of its client API; `undefined` if it cannot be used
 */
export async function checkOwnHomeserver(
  parts: OwnHomeserverCheckParts,
  baseUrl: string | undefined,
): Promise<void> {
  const { mode, clients, report } = parts
  if (baseUrl === undefined) return report.skipped('homeserver', 'needs the client API')
  report.progress(`what ${mode.serverName} lets its application service do`)
  const ask: Ask = (call) =>
    clients.inTime((signal) => {
      const withToken = { ...call, accessToken: mode.asToken }
      return clients.request(mode.serverName, baseUrl, withToken, signal)
    })
  try {
    if (!(await checkAsToken(parts, ask))) return
    await checkScope(parts, ask)
    await checkProxy(parts, ask)
  } catch (error) {
    if (!isRequestFailure(error)) throw error
    report.problem('homeserver', exchangeTrouble('client-api', error))
  }
}
