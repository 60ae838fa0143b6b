import type { CauseCode } from '../../catalogue/catalogue.ts'
import { memberOf, parseJson } from '../../lib/json.ts'
import {
  CLIENT_WELL_KNOWN_PATH,
  type ClientApiLocation,
  readLocation,
} from '../../matrix/client-api-location.ts'
import { advertisedPrefix, delayedEventPath, VERSIONS_PATH } from '../../matrix/delayed-events.ts'
import { answerText, documentText, matrixErrorCode } from '../../matrix/exchange-trouble.ts'
import type { Answer, Call } from '../../net/bounded-fetch.ts'
import type { Trouble } from '../../trouble.ts'
import { attempt, isAnswer } from './asking.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'
import { type FederationProblem, hostOf, isSameProblem } from './same-problem.ts'

/** Why there is no well-known document of clients. */
export interface UnreadDocument {
  /** For the operator. */
  readonly found: string
  /** Whether there is none, something else, or no answer here. */
  readonly kind: 'none' | 'bad' | 'unanswered'
}

/** What was found at `/.well-known/matrix/client`, and of the client API. */
export interface ClientApiFound {
  /** The document, if there is one. */
  readonly document: unknown
  /** Why there is none. */
  readonly unread: UnreadDocument | undefined
  /** Base URL of the client API; `undefined` if it cannot be located. */
  readonly baseUrl: string | undefined
  /** Whether the client API answers as one. */
  readonly isUsable: boolean
}

/** More than Synapse permits in a burst by default. */
const RESTARTS = 8

function askWellKnown({ name, clients }: ServerCheckParts) {
  const question = clients.inTime((signal) => {
    return clients.getWellKnown(name, CLIENT_WELL_KNOWN_PATH, clients.policy, signal)
  })
  return attempt('client-api', question)
}

function checkCors({ report }: ServerCheckParts, { headers }: Answer): void {
  if (headers.get('access-control-allow-origin') === '*') return
  const found = `${CLIENT_WELL_KNOWN_PATH} has no "Access-Control-Allow-Origin: *"`
  report.problem('client-api', { code: 'client-api.no-cors', found })
}

/** Reports a problem of the client API, unless it is that of the federation API. */
function reportOnce(
  { report }: ServerCheckParts,
  trouble: Trouble<CauseCode>,
  host: string,
  federation: FederationProblem | undefined,
): void {
  if (isSameProblem(trouble.code, host, federation)) {
    report.skipped('client-api', `has the same problem as the federation API: ${trouble.found}`)
  } else {
    report.problem('client-api', trouble)
  }
}

/** What an answer says as the well-known document of clients. */
function readDocument(answer: Answer): Pick<ClientApiFound, 'document' | 'unread'> {
  const { status, body } = answer
  const document = status === 200 ? parseJson(body) : undefined
  if (document !== undefined) return { document, unread: undefined }
  const found = documentText(answer, CLIENT_WELL_KNOWN_PATH)
  const reason = status === 200 ? `${found}, no JSON` : found
  return { document, unread: { found: reason, kind: status === 404 ? 'none' : 'bad' } }
}

/** Locates the client API as the service does. */
async function locate(
  parts: ServerCheckParts,
  federation: FederationProblem | undefined,
): Promise<Omit<ClientApiFound, 'isUsable'>> {
  const { name, config } = parts
  const override = config.clientApiOverrides.get(name.text)
  const outcome = await askWellKnown(parts)
  const read = isAnswer(outcome)
    ? readDocument(outcome)
    : ({ document: undefined, unread: { found: outcome.found, kind: 'unanswered' } } as const)
  const location: ClientApiLocation = isAnswer(outcome)
    ? readLocation(outcome)
    : { kind: 'unknown', trouble: outcome }
  if (isAnswer(outcome) && location.kind === 'found') checkCors(parts, outcome)
  if (override !== undefined) return { ...read, baseUrl: override }
  if (location.kind === 'found') return { ...read, baseUrl: location.baseUrl }
  reportOnce(parts, location.trouble, name.host, federation)
  return { ...read, baseUrl: undefined }
}

function ask({ name, clients }: ServerCheckParts, baseUrl: string, call: Call) {
  const question = clients.inTime((signal) => clients.request(name.text, baseUrl, call, signal))
  return attempt('client-api', question)
}

/** Restarts an event that does not exist until the homeserver has had enough. */
async function checkRateLimit(parts: ServerCheckParts, baseUrl: string, isStable: boolean) {
  const { report } = parts
  const prefix = isStable ? 'stable' : 'unstable'
  const path = delayedEventPath(prefix, `doctor-${crypto.randomUUID()}`, 'restart')
  for (let count = 1; count <= RESTARTS; count += 1) {
    const outcome = await ask(parts, baseUrl, { method: 'POST', path, body: '{}' })
    if (!isAnswer(outcome)) return report.warning('delayed-events', outcome)
    if (outcome.status === 429) {
      const found = `the request number ${count} within a moment was refused`
      return report.warning('delayed-events', { code: 'delayed-events.rate-limited', found })
    }
    if (matrixErrorCode(outcome) !== 'M_NOT_FOUND') {
      const found = answerText(outcome, path)
      return report.warning('delayed-events', { code: 'delayed-events.refused', found })
    }
  }
  report.ok('delayed-events', `supported, and ${RESTARTS} requests in a row are permitted`)
}

async function checkDelayedEvents(parts: ServerCheckParts, baseUrl: string, versions: Answer) {
  const prefix = advertisedPrefix(versions)
  if (prefix !== undefined) return checkRateLimit(parts, baseUrl, prefix === 'stable')
  const found = 'it does not say that it supports them'
  parts.report.warning('delayed-events', { code: 'delayed-events.unsupported', found })
}

/** What is wrong with the answer to the question for versions; `undefined` if nothing is. */
function versionsTrouble(answer: Answer): Trouble<CauseCode> | undefined {
  const { status, body } = answer
  if (status === 200 && memberOf(parseJson(body), 'versions') !== undefined) return undefined
  const found = documentText(answer, VERSIONS_PATH)
  const isAway = status === 429 || status >= 500
  return { code: isAway ? 'client-api.unavailable' : 'client-api.not-matrix', found }
}

/** Checks what the client API supports; whether it can be used. */
async function checkVersions(
  parts: ServerCheckParts,
  baseUrl: string,
  federation: FederationProblem | undefined,
): Promise<boolean> {
  const { report } = parts
  const outcome = await ask(parts, baseUrl, { method: 'GET', path: VERSIONS_PATH })
  const trouble = isAnswer(outcome) ? versionsTrouble(outcome) : outcome
  if (!isAnswer(outcome) || trouble !== undefined) {
    if (trouble !== undefined) reportOnce(parts, trouble, hostOf(baseUrl), federation)
    report.skipped('delayed-events', 'need the client API')
    return false
  }
  report.ok('client-api', `answers at ${baseUrl}`)
  await checkDelayedEvents(parts, baseUrl, outcome)
  return true
}

/**
 * Checks the client API of a homeserver, as far as clients and the service need it.
 *
 * @param federation - what is wrong with the federation API, so that nothing is told twice
 */
export async function checkClientApi(
  parts: ServerCheckParts,
  federation: FederationProblem | undefined,
): Promise<ClientApiFound> {
  parts.report.progress(`the client API of ${parts.name.text}`)
  const found = await locate(parts, federation)
  if (found.baseUrl !== undefined) {
    return { ...found, isUsable: await checkVersions(parts, found.baseUrl, federation) }
  }
  parts.report.skipped('delayed-events', 'need the client API')
  return { ...found, isUsable: false }
}
