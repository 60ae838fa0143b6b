import type { CauseCode } from '../../catalogue/catalogue.ts'
import { answerText } from '../../matrix/exchange-trouble.ts'
import { attempt, type Get, isAnswer } from './asking.ts'
import { clockSkew } from './clock-skew.ts'
import { connectTo, softwareIn, VERSION_PATH } from './connection-check.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'
import { checkOpenId, type TokenToCheck } from './openid-check.ts'

/** Whether the homeserver federates, which tokens need not. */
async function checkVersion({ report, clocks, now }: ServerCheckParts, get: Get) {
  const sentAt = now()
  const outcome = await attempt('federation', get(VERSION_PATH))
  if (!isAnswer(outcome)) return outcome
  const skew = clockSkew(outcome.headers.get('date'), sentAt, now())
  if (skew !== undefined && clocks.isKnown(skew.seconds)) {
    report.skipped('federation', `${skew.text}, as that of the SFU is: see above`)
  } else if (skew !== undefined) {
    clocks.note(skew.seconds)
    report.warning('federation', { code: 'federation.clock-skew', found: skew.text })
  }
  const software = softwareIn(outcome)
  if (software === undefined) {
    return { code: 'federation.disabled', found: answerText(outcome, VERSION_PATH) } as const
  }
  report.ok('federation', `${software} answers`)
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
