import type { CauseCode } from '../../catalogue/catalogue.ts'
import { parseJson, textMember } from '../../lib/json.ts'
import { answerText } from '../../matrix/exchange-trouble.ts'
import { parseServerName } from '../../matrix/server-name.ts'
import { SERVER_WELL_KNOWN_PATH } from '../../matrix/well-known.ts'
import { isRequestFailure } from '../../net/request-failure.ts'
import type { Trouble } from '../../trouble.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'

/** What was found at `/.well-known/matrix/server`. */
export type WellKnownFound =
  | { readonly kind: 'delegated' }
  | { readonly kind: 'none' }
  /** Not reported yet: only a problem if the homeserver cannot be reached without it. */
  | { readonly kind: 'bad'; readonly trouble: Trouble<CauseCode> }

const MAX_TYPE = 60

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
    const to = answer.status === 200 ? textMember(parseJson(answer.body), 'm.server') : undefined
    if (to !== undefined && parseServerName(to) !== undefined) {
      report.ok('well-known', `leads to ${to}`)
      return { kind: 'delegated' }
    }
    const type = (answer.headers.get('content-type') ?? 'no content type').slice(0, MAX_TYPE)
    if (answer.status !== 200) {
      const found = answerText(answer, SERVER_WELL_KNOWN_PATH)
      return { kind: 'bad', trouble: { code: 'discovery.well-known-failed', found } }
    }
    const found = `${answerText(answer, SERVER_WELL_KNOWN_PATH)}: ${type}, without a usable "m.server"`
    return { kind: 'bad', trouble: { code: 'discovery.bad-well-known', found } }
  } catch (error) {
    if (!isRequestFailure(error)) throw error
    report.skipped('well-known', `it cannot be asked for (${error.message}), which is allowed`)
    return { kind: 'none' }
  }
}
