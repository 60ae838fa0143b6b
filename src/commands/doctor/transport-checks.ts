import type { CauseCode } from '../../catalogue/catalogue.ts'
import { memberOf, parseJson, textMember } from '../../lib/json.ts'
import { CLIENT_WELL_KNOWN_PATH } from '../../matrix/client-api-location.ts'
import { answerText, matrixErrorCode } from '../../matrix/exchange-trouble.ts'
import type { Answer } from '../../net/bounded-fetch.ts'
import { isRequestFailure } from '../../net/request-failure.ts'
import type { Trouble } from '../../trouble.ts'
import type { ClientApiFound, UnreadDocument } from './client-api-checks.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'
import type { TokenToCheck } from './openid-check.ts'
import type { Level, Report, Step } from './report.ts'

const KEY = 'org.matrix.msc4143.rtc_foci'
const TRANSPORTS_PATH = '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports'
/** Below the URL of the service. */
const PATH = '/get_token'

/** A text of each entry of type `livekit`. */
function livekitTexts(list: unknown, key: string): readonly string[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((entry: unknown) => {
    return textMember(entry, 'type') === 'livekit' ? (textMember(entry, key) ?? []) : []
  })
}

/** The service URLs that clients find. */
function serviceUrlsIn(document: unknown): readonly string[] {
  return livekitTexts(memberOf(document, KEY), 'livekit_service_url')
}

/** The SFUs that a homeserver announces. */
function transportUrlsIn(answer: unknown): readonly string[] {
  return livekitTexts(memberOf(answer, 'rtc_transports'), 'url')
}

/** What the service that clients find has answered. */
interface ServiceAnswer {
  readonly answer: Answer
  /** What was asked. */
  readonly url: string
  readonly isWithToken: boolean
}

function requestBody(serverName: string, token: string, user: string): string {
  return JSON.stringify({
    room_id: '!doctor:doctor.invalid',
    slot_id: 'doctor',
    openid_token: { access_token: token, matrix_server_name: serverName },
    member: { id: 'doctor', claimed_user_id: user, claimed_device_id: 'doctor' },
  })
}

function hasLevel({ findings }: Report, step: Step, level: Level): boolean {
  return findings.some((finding) => finding.step === step && finding.level === level)
}

/** What is wrong with a service URL itself; `undefined` if it can be asked. */
function urlTrouble(serviceUrl: string): Trouble<CauseCode> | undefined {
  if (serviceUrl.startsWith('https://') && URL.canParse(serviceUrl)) return undefined
  return { code: 'transports.bad-url', found: `"livekit_service_url" is "${serviceUrl}"` }
}

/** What is wrong with the service that clients find; `undefined` if it may well be this one. */
function serviceTrouble(
  { config }: ServerCheckParts,
  { answer, url, isWithToken }: ServiceAnswer,
): Trouble<CauseCode> | undefined {
  const { status } = answer
  const errcode = matrixErrorCode(answer)
  const text = answerText(answer, url)
  if (status === 429 || status >= 500) return { code: 'transports.unavailable', found: text }
  if (!isWithToken) {
    const isOne = status === 400 && errcode === 'M_BAD_JSON'
    return isOne ? undefined : { code: 'transports.elsewhere', found: text }
  }
  if (status === 401 && errcode !== undefined) {
    return { code: 'transports.token-refused', found: text }
  }
  const sfuUrl = textMember(parseJson(answer.body), 'url')
  if (sfuUrl === config.liveKitUrl) return undefined
  if (sfuUrl === undefined) return { code: 'transports.elsewhere', found: text }
  const found = `it hands out another SFU than LIVEKIT_URL: ${sfuUrl}`
  return { code: 'transports.elsewhere', found }
}

/** Asks the service that clients find, as they do. */
async function checkFoundService(
  parts: ServerCheckParts,
  serviceUrl: string,
  { token, user }: TokenToCheck,
): Promise<void> {
  const { name, clients, report } = parts
  const wrongUrl = urlTrouble(serviceUrl)
  if (wrongUrl !== undefined) return report.problem('transports', wrongUrl)
  report.progress(`the service at ${serviceUrl}`)
  const isGiven = token !== undefined && user !== undefined
  // One that is refused already would be refused here too, and say nothing of the service.
  const isWithToken = isGiven && hasLevel(report, 'openid', 'ok')
  const base = serviceUrl.replace(/\/+$/, '')
  const body = isWithToken ? requestBody(name.text, token, user) : '{}'
  try {
    const answer = await clients.inTime((signal) => {
      return clients.request(name.text, base, { method: 'POST', path: PATH, body }, signal)
    })
    const trouble = serviceTrouble(parts, { answer, url: base + PATH, isWithToken })
    if (trouble === undefined) {
      const hint = isGiven ? '' : ' (--token and --user show more)'
      const more = isWithToken ? 'hands out LIVEKIT_URL' : `answers${hint}`
      return report.ok('transports', `${base}, which clients find, ${more}`)
    }
    const isOfSfu = trouble.code === 'transports.unavailable' && hasLevel(report, 'sfu', 'problem')
    if (!isOfSfu || !isWithToken) return report.problem('transports', trouble)
    report.skipped('transports', `${trouble.found}: it most likely needs the SFU`)
  } catch (error) {
    if (!isRequestFailure(error)) throw error
    const found = `${base}: ${error.message}`
    report.warning('transports', { code: 'transports.unreachable', found })
  }
}

/**
 * Asks our homeserver, as its application service, which SFUs it announces (MSC4143); whether it
 * announces any.
 */
async function checkAnnounced(
  { name, clients, config, report }: ServerCheckParts,
  baseUrl: string,
): Promise<boolean> {
  const { applicationService: mode, liveKitUrl } = config
  if (mode?.serverName !== name.text) return false
  try {
    const call = { method: 'GET', path: TRANSPORTS_PATH, accessToken: mode.asToken } as const
    const { body } = await clients.inTime((signal) => {
      return clients.request(name.text, baseUrl, call, signal)
    })
    const urls = transportUrlsIn(parseJson(body))
    if (urls.length === 0) return false
    if (urls.includes(liveKitUrl)) {
      report.ok('transports', `the homeserver announces ${liveKitUrl}`)
      return true
    }
    const found = `the homeserver announces ${urls.join(', ')}, and not LIVEKIT_URL`
    report.problem('transports', { code: 'transports.elsewhere', found })
    return true
  } catch (error) {
    if (!isRequestFailure(error)) throw error
    return false
  }
}

/** Says that the document could not be read, though the client API is found without it. */
function reportUnread(report: Report, { kind, found }: UnreadDocument): void {
  const trouble = { code: 'transports.well-known-unread', found } as const
  // Clients may be elsewhere, and get an answer.
  if (kind === 'unanswered') report.warning('transports', trouble)
  else report.problem('transports', trouble)
}

/**
 * Checks whether clients of a homeserver find this service, and the SFU through it.
 *
 * @param found - what the homeserver publishes for clients; its client API must be located
 */
export async function checkTransports(
  parts: ServerCheckParts,
  { document, unread, baseUrl = '', isUsable }: ClientApiFound,
  token: TokenToCheck,
): Promise<void> {
  const { name, config, report } = parts
  const [serviceUrl] = serviceUrlsIn(document)
  if (serviceUrl !== undefined) {
    if (isUsable) await checkAnnounced(parts, baseUrl)
    return checkFoundService(parts, serviceUrl, token)
  }
  if (config.applicationService?.serverName === name.text && !isUsable) {
    return report.skipped('transports', 'need the client API, which may announce some')
  }
  if (await checkAnnounced(parts, baseUrl)) return
  if (unread !== undefined && unread.kind !== 'none') return reportUnread(report, unread)
  const found = unread?.found ?? `${CLIENT_WELL_KNOWN_PATH} has no "${KEY}" of type "livekit"`
  report.warning('transports', { code: 'transports.none', found })
}
