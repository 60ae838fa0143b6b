import type { CauseCode } from '../../catalogue/catalogue.ts'
import { memberOf, parseJson } from '../../lib/json.ts'
import {
  CLIENT_WELL_KNOWN_PATH,
  type ClientApiLocation,
  readLocation,
} from '../../matrix/client-api-location.ts'
import { advertisedPrefix, delayedEventPath, VERSIONS_PATH } from '../../matrix/delayed-events.ts'
import { answerText, matrixErrorCode } from '../../matrix/exchange-trouble.ts'
import type { Answer, Call } from '../../net/bounded-fetch.ts'
import { attempt, isAnswer } from './asking.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'

/** What was found at `/.well-known/matrix/client`. */
export interface ClientApiFound {
  /** The document, if there is one. */
  readonly document: unknown
  /** Base URL of the client API; `undefined` if it cannot be located. */
  readonly baseUrl: string | undefined
}

/** More than Synapse permits in a burst by default. */
const RESTARTS = 8

/** What is wrong with one well-known document, and then most likely with the other. */
const SAME_WELL_KNOWN: Readonly<Partial<Record<CauseCode, CauseCode>>> = {
  'discovery.bad-well-known': 'client-api.bad-well-known',
  'discovery.well-known-failed': 'client-api.unavailable',
}

/** What the same thing is called where the federation API has met it. */
function asFederation(code: CauseCode): string {
  return code.replace(/^client-api\./, 'federation.')
}

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

/** Whether the federation API has the same problem, so that it is one finding. */
function isKnown(code: CauseCode, federationProblem: CauseCode | undefined): boolean {
  if (federationProblem === undefined) return false
  const isSameFile = SAME_WELL_KNOWN[federationProblem] === code
  return isSameFile || asFederation(code) === federationProblem
}

/** Locates the client API as the service does. */
async function locate(
  parts: ServerCheckParts,
  federationProblem: CauseCode | undefined,
): Promise<ClientApiFound> {
  const { name, config, report } = parts
  const override = config.clientApiOverrides.get(name.text)
  const outcome = await askWellKnown(parts)
  const document = isAnswer(outcome) ? parseJson(outcome.body) : undefined
  const location: ClientApiLocation = isAnswer(outcome)
    ? readLocation(outcome)
    : { kind: 'unknown', trouble: outcome }
  if (isAnswer(outcome) && location.kind === 'found') checkCors(parts, outcome)
  if (override !== undefined) return { document, baseUrl: override }
  if (location.kind === 'found') return { document, baseUrl: location.baseUrl }
  const { trouble } = location
  if (isKnown(trouble.code, federationProblem)) {
    report.skipped('client-api', 'has the same problem as the federation API')
  } else {
    report.problem('client-api', trouble)
  }
  return { document, baseUrl: undefined }
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

async function checkDelayedEvents(parts: ServerCheckParts, baseUrl: string): Promise<void> {
  const { report } = parts
  const outcome = await ask(parts, baseUrl, { method: 'GET', path: VERSIONS_PATH })
  if (!isAnswer(outcome)) {
    report.problem('client-api', outcome)
    return report.skipped('delayed-events', 'need the client API')
  }
  if (memberOf(parseJson(outcome.body), 'versions') === undefined) {
    const found = answerText(outcome, VERSIONS_PATH)
    report.problem('client-api', { code: 'homeserver.bad-answer', found })
    return report.skipped('delayed-events', 'need the client API')
  }
  report.ok('client-api', `answers at ${baseUrl}`)
  const prefix = advertisedPrefix(outcome)
  if (prefix !== undefined) return checkRateLimit(parts, baseUrl, prefix === 'stable')
  const found = 'it does not say that it supports them'
  report.warning('delayed-events', { code: 'delayed-events.unsupported', found })
}

/**
 * Checks the client API of a homeserver, as far as clients and the service need it.
 *
 * @param federationProblem - what is wrong with the federation API, so that nothing is told twice
 */
export async function checkClientApi(
  parts: ServerCheckParts,
  federationProblem: CauseCode | undefined,
): Promise<ClientApiFound> {
  parts.report.progress(`the client API of ${parts.name.text}`)
  const found = await locate(parts, federationProblem)
  if (found.baseUrl === undefined) parts.report.skipped('delayed-events', 'need the client API')
  else await checkDelayedEvents(parts, found.baseUrl)
  return found
}
