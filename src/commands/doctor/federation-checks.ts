import type { CauseCode } from '../../catalogue/catalogue.ts'
import { memberOf, parseJson, textMember } from '../../lib/json.ts'
import { answerText, exchangeTrouble } from '../../matrix/exchange-trouble.ts'
import { subjectOf, USERINFO_PATH } from '../../matrix/openid.ts'
import { serverNameOfUser, targetOf } from '../../matrix/server-name.ts'
import { VerificationError } from '../../matrix/verification-error.ts'
import type { Answer } from '../../net/bounded-fetch.ts'
import { isRequestFailure, type Target } from '../../net/target-client.ts'
import type { Trouble } from '../../trouble.ts'
import { certificateText, showCertificate } from './certificate.ts'
import { clockSkew } from './clock-skew.ts'
import { permittedAddress, type ServerCheckParts } from './homeserver-clients.ts'
import { lookUpWellKnown } from './well-known-check.ts'

/** Whose token is looked at; both may be unknown. */
export interface TokenToCheck {
  /** Secret. */
  readonly token: string | undefined
  readonly user: string | undefined
}

/** Sends a GET request to the homeserver. */
type Get = (path: string) => Promise<Answer>

const VERSION_PATH = '/_matrix/federation/v1/version'
const FORTNIGHT_MS = 14 * 24 * 60 * 60 * 1_000
const LOOK_TIMEOUT_MS = 5_000

/** The answer, or why there was none. */
async function attempt(question: Promise<Answer>): Promise<Answer | Trouble<CauseCode>> {
  try {
    return await question
  } catch (error) {
    if (isRequestFailure(error)) return exchangeTrouble('federation', error)
    throw error
  }
}

function isAnswer(outcome: Answer | Trouble<CauseCode>): outcome is Answer {
  return 'status' in outcome
}

function softwareIn({ status, body }: Answer): string | undefined {
  if (status !== 200) return undefined
  const server = memberOf(parseJson(body), 'server')
  const name = textMember(server, 'name')
  return name && `${name} ${textMember(server, 'version') ?? ''}`.trim().slice(0, 80)
}

/** Whether the federation API answers on the port of browsers instead of its own. */
async function answersOn443({ name, clients, tuning }: ServerCheckParts): Promise<boolean> {
  const target = targetOf({ ...name, port: tuning.wellKnownPort ?? 443 }, 443)
  const call = { method: 'GET', path: VERSION_PATH } as const
  const outcome = await attempt(
    clients.inTime((signal) => clients.client.request([target], call, clients.policy, signal)),
  )
  return isAnswer(outcome) && softwareIn(outcome) !== undefined
}

const CERTIFICATE_CODES: readonly string[] = [
  'federation.certificate-expired',
  'federation.certificate-not-yet-valid',
  'federation.certificate-for-another-name',
  'federation.certificate-untrusted',
]

async function certificateOf({ clients }: ServerCheckParts, { host, port, tlsServerName }: Target) {
  const address = await permittedAddress(clients, host)
  if (address === undefined) return undefined
  return showCertificate({ address, port, tlsServerName }, LOOK_TIMEOUT_MS)
}

/** Says more about a connection that failed. */
async function explained(
  parts: ServerCheckParts,
  targets: readonly Target[],
  trouble: Trouble<CauseCode>,
  isDelegated: boolean,
): Promise<Trouble<CauseCode>> {
  const [target] = targets
  if (target !== undefined && CERTIFICATE_CODES.includes(trouble.code)) {
    const shown = await certificateOf(parts, target)
    if (shown === undefined) return trouble
    return { ...trouble, found: `${trouble.found}; it shows a ${certificateText(shown)}` }
  }
  const isClosed = ['federation.refused', 'federation.timeout'].includes(trouble.code)
  if (!isClosed || isDelegated || parts.name.port !== undefined) return trouble
  if (!(await answersOn443(parts))) return trouble
  return { code: 'federation.only-on-443', found: trouble.found, subject: parts.name.text }
}

/** Reports the certificate of a connection that succeeded. */
async function reportConnection(
  parts: ServerCheckParts,
  [target]: readonly Target[],
  peer = '',
): Promise<void> {
  const { report, now } = parts
  const shown = target && (await certificateOf(parts, target))
  if (shown === undefined) return report.ok('connection', peer)
  const found = `${peer}, ${certificateText(shown)}`
  if (shown.expiresAt - now() > FORTNIGHT_MS) return report.ok('connection', found)
  report.warning('connection', { code: 'federation.certificate-expires-soon', found })
}

/** Finds the homeserver as the service does; gives a way to ask it, or the problem that was reported. */
async function connectTo(parts: ServerCheckParts): Promise<Get | CauseCode> {
  const { name, clients, config, report } = parts
  const override = config.federationOverrides.get(name.text)
  const call = (path: string) => ({ method: 'GET', path }) as const
  if (override !== undefined) {
    report.skipped('well-known', `LIVEKIT_FEDERATION_URL_OVERRIDES leads to ${override}`)
    return (path) => clients.inTime((signal) => clients.direct(override, call(path), signal))
  }
  const wellKnown = await lookUpWellKnown(parts)
  const { targets, notes } = await clients.inTime((signal) =>
    clients.discovery.discover(name, clients.policy, signal),
  )
  const get: Get = (path) =>
    clients.inTime((signal) => {
      return clients.client.request(targets, call(path), clients.policy, signal)
    })
  const first = await attempt(get(VERSION_PATH))
  if (isAnswer(first)) {
    if (wellKnown.kind === 'bad') report.warning('well-known', wellKnown.trouble)
    await reportConnection(parts, targets, first.peer)
    return get
  }
  if (wellKnown.kind === 'bad') {
    report.problem('well-known', wellKnown.trouble)
    report.skipped('connection', 'needs /.well-known/matrix/server')
    return wellKnown.trouble.code
  }
  const isDelegated = wellKnown.kind === 'delegated'
  const noted = { ...first, found: [first.found, ...notes].join('; ') }
  const trouble = await explained(parts, targets, noted, isDelegated)
  report.problem('connection', trouble)
  return trouble.code
}

/** Whether the homeserver federates, which tokens need not. */
async function checkVersion({ report, now }: ServerCheckParts, get: Get) {
  const sentAt = now()
  const outcome = await attempt(get(VERSION_PATH))
  if (!isAnswer(outcome)) return outcome
  const skew = clockSkew(outcome.headers.get('date'), sentAt, now())
  if (skew !== undefined) {
    report.warning('federation', { code: 'federation.clock-skew', found: skew.text })
  }
  const software = softwareIn(outcome)
  if (software === undefined) {
    return { code: 'federation.disabled', found: answerText(outcome, VERSION_PATH) } as const
  }
  report.ok('federation', `${software} answers`)
  return undefined
}

async function userOf(get: Get, token: string): Promise<string | Trouble<CauseCode>> {
  const query = `access_token=${encodeURIComponent(token)}`
  const outcome = await attempt(get(`${USERINFO_PATH}?${query}`))
  if (!isAnswer(outcome)) return outcome
  try {
    return subjectOf(outcome)
  } catch (error) {
    if (error instanceof VerificationError) return error.trouble
    throw error
  }
}

async function checkOwnToken(
  { name, report }: ServerCheckParts,
  get: Get,
  token: string,
  user: string | undefined,
) {
  const found = await userOf(get, token)
  if (typeof found !== 'string') return report.problem('openid', found)
  if (serverNameOfUser(found) !== name.text) {
    const text = '"sub" is not a user of the server asked'
    return report.problem('openid', { code: 'federation.foreign-user', found: text })
  }
  if (user !== undefined && user !== found) {
    const text = 'the token is of another user than the one given'
    return report.problem('openid', { code: 'federation.other-user', found: text })
  }
  report.ok('openid', `the token is of ${found}`)
}

/** Whether OpenID tokens can be verified; gives the code of the problem if not. */
async function checkOpenId(
  parts: ServerCheckParts,
  get: Get,
  { token, user }: TokenToCheck,
): Promise<CauseCode | undefined> {
  const { report } = parts
  const nobodys = await userOf(get, `doctor-${crypto.randomUUID()}`)
  if (typeof nobodys === 'string') {
    const found = 'a random token is accepted'
    report.problem('openid', { code: 'federation.accepts-any-token', found })
    return 'federation.accepts-any-token'
  }
  if (nobodys.code !== 'federation.token-refused') {
    report.problem('openid', nobodys)
    return nobodys.code
  }
  if (token !== undefined) await checkOwnToken(parts, get, token, user)
  else report.ok('openid', 'a token that nobody issued is refused, as it must be')
  return undefined
}

/**
 * Checks whether the OpenID tokens of a homeserver can be verified.
 *
 * @returns the code of the problem, if there is one
 */
export async function checkFederation(
  parts: ServerCheckParts,
  token: TokenToCheck,
): Promise<CauseCode | undefined> {
  const { name, report } = parts
  report.progress(`the federation API of ${name.text}`)
  const get = await connectTo(parts)
  if (typeof get === 'string') {
    report.skipped('federation', 'needs the connection')
    report.skipped('openid', 'needs the connection')
    return get
  }
  const lack = await checkVersion(parts, get)
  const problem = await checkOpenId(parts, get, token)
  if (lack === undefined) return problem
  // Whatever keeps tokens from being verified most likely explains this too.
  if (problem === undefined) report.warning('federation', lack)
  else report.skipped('federation', 'see "openid"')
  return problem
}
