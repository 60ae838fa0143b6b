import type { CauseCode } from '../../catalogue/catalogue.ts'
import { parseJson, textMember } from '../../lib/json.ts'
import { answerText, documentText } from '../../matrix/exchange-trouble.ts'
import { parseServerName } from '../../matrix/server-name.ts'
import { SERVER_WELL_KNOWN_PATH } from '../../matrix/well-known.ts'
import type { Answer } from '../../net/bounded-fetch.ts'
import { isRequestFailure } from '../../net/request-failure.ts'
import type { Trouble } from '../../trouble.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'

/** What was found at `/.well-known/matrix/server`. */
export type WellKnownFound =
  | { readonly kind: 'delegated' }
  | { readonly kind: 'none' }
  /** Not reported yet: only a problem if the homeserver cannot be reached without it. */
  | { readonly kind: 'bad'; readonly trouble: Trouble<CauseCode> }

const MAX_SHOWN = 200

function valueText(value: string): string {
  const shown = `"m.server" is "${value.slice(0, MAX_SHOWN)}"`
  return value.includes('://') ? `${shown}: a scheme such as "https:" does not belong there` : shown
}

/** The server name in the document, or what is wrong with it. */
function readServerDocument(answer: Answer): string | Trouble<CauseCode> {
  if (answer.status !== 200) {
    const found = answerText(answer, SERVER_WELL_KNOWN_PATH)
    return { code: 'discovery.well-known-failed', found }
  }
  const to = textMember(parseJson(answer.body), 'm.server')
  if (to === undefined) {
    const found = `${documentText(answer, SERVER_WELL_KNOWN_PATH)}, without "m.server"`
    return { code: 'discovery.bad-well-known', found }
  }
  if (parseServerName(to) !== undefined) return to
  const found = `${answerText(answer, SERVER_WELL_KNOWN_PATH)}: ${valueText(to)}`
  return { code: 'discovery.bad-m-server', found }
}

/** Looks up `/.well-known/matrix/server` and reports what is right with it. */
export async function lookUpWellKnown(parts: ServerCheckParts): Promise<WellKnownFound> {
  const { name, clients, report } = parts
  if (name.kind !== 'hostname' || name.port !== undefined) {
    report.skipped(
      'well-known',
      'the server name has a port or is an address, and is used as it is',
    )
    return { kind: 'none' }
  }
  try {
    const answer = await clients.inTime((signal) => {
      return clients.getWellKnown(name, SERVER_WELL_KNOWN_PATH, clients.policy, signal)
    })
    if (answer.status === 404) {
      report.ok(
        'well-known',
        'there is none, so SRV records and port 8448 of the name itself count',
      )
      return { kind: 'none' }
    }
    const read = readServerDocument(answer)
    if (typeof read !== 'string') return { kind: 'bad', trouble: read }
    report.ok('well-known', `leads to ${read}`)
    return { kind: 'delegated' }
  } catch (error) {
    if (!isRequestFailure(error)) throw error
    report.skipped('well-known', `it cannot be asked for (${error.message}), which is allowed`)
    return { kind: 'none' }
  }
}
