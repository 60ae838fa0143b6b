import { memberOf, parseJson, textMember } from '../../lib/json.ts'
import { answerText, matrixErrorCode } from '../../matrix/exchange-trouble.ts'
import type { Answer } from '../../net/bounded-fetch.ts'
import { isRequestFailure } from '../../net/request-failure.ts'
import type { ClientApiFound } from './client-api-checks.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'
import type { TokenToCheck } from './openid-check.ts'

const KEY = 'org.matrix.msc4143.rtc_foci'
const TRANSPORTS_PATH = '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports'

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

function requestBody({ name }: ServerCheckParts, { token, user }: TokenToCheck): string {
  if (token === undefined || user === undefined) return '{}'
  return JSON.stringify({
    room_id: '!doctor:doctor.invalid',
    slot_id: 'doctor',
    openid_token: { access_token: token, matrix_server_name: name.text },
    member: { id: 'doctor', claimed_user_id: user, claimed_device_id: 'doctor' },
  })
}

/** Why the service that clients find is not this one; `undefined` if it may well be. */
function mismatch(
  { config }: ServerCheckParts,
  answer: Answer,
  isWithToken: boolean,
): string | undefined {
  if (!isWithToken) {
    const isOne = answer.status === 400 && matrixErrorCode(answer) === 'M_BAD_JSON'
    return isOne
      ? undefined
      : `${answerText(answer, '/get_token')}: that is no service like this one`
  }
  const url = textMember(parseJson(answer.body), 'url')
  if (url === config.liveKitUrl) return undefined
  if (url === undefined) return answerText(answer, '/get_token')
  return `it hands out another SFU than LIVEKIT_URL: ${url}`
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

/**
 * Checks whether clients of a homeserver find this service, and the SFU through it.
 *
 * @param found - what the homeserver publishes for clients; its client API must be located
 */
export async function checkTransports(
  parts: ServerCheckParts,
  { document, baseUrl = '' }: ClientApiFound,
  token: TokenToCheck,
): Promise<void> {
  const { name, clients, report } = parts
  const [serviceUrl] = serviceUrlsIn(document)
  if ((await checkAnnounced(parts, baseUrl)) && serviceUrl === undefined) return
  if (serviceUrl === undefined) {
    const found = `/.well-known/matrix/client has no "${KEY}" of type "livekit"`
    return report.warning('transports', { code: 'transports.none', found })
  }
  report.progress(`the service at ${serviceUrl}`)
  const isWithToken = token.token !== undefined && token.user !== undefined
  const elsewhere = (found: string) => {
    report.problem('transports', { code: 'transports.elsewhere', found })
  }
  if (!/^https:\/\//.test(serviceUrl) || !URL.canParse(serviceUrl)) {
    return elsewhere('"livekit_service_url" is no https URL')
  }
  const base = serviceUrl.replace(/\/+$/, '')
  try {
    const call = { method: 'POST', path: '/get_token', body: requestBody(parts, token) } as const
    const answer = await clients.inTime((signal) => {
      return clients.request(name.text, base, call, signal)
    })
    const wrong = mismatch(parts, answer, isWithToken)
    if (wrong !== undefined) return elsewhere(wrong)
    const more = isWithToken ? 'hands out LIVEKIT_URL' : 'answers (--token and --user show more)'
    report.ok('transports', `${base}, which clients find, ${more}`)
  } catch (error) {
    if (!isRequestFailure(error)) throw error
    const found = `${base}: ${error.message}`
    report.warning('transports', { code: 'transports.unreachable', found })
  }
}
