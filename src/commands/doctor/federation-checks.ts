import type { CauseCode } from '../../catalogue/catalogue.ts'
import { answerText } from '../../matrix/exchange-trouble.ts'
import type { Trouble } from '../../trouble.ts'
import { attempt, type Get, isAnswer } from './asking.ts'
import { clockSkew } from './clock-skew.ts'
import { connectTo, softwareIn, VERSION_PATH } from './connection-check.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'
import { checkOpenId, type TokenToCheck } from './openid-check.ts'
import type { FederationProblem } from './same-problem.ts'

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

/** Reports the well-known document of a homeserver by whatever is worse. */
function reportDoubt(
  { report }: ServerCheckParts,
  doubt: Trouble<CauseCode>,
  isExplained: boolean,
) {
  if (isExplained) report.skipped('well-known', `${doubt.found}: see "openid"`)
  else report.warning('well-known', doubt)
}

/**
 * Checks whether the OpenID tokens of a homeserver can be verified.
 *
 * @returns the problem, if there is one
 */
export async function checkFederation(
  parts: ServerCheckParts,
  token: TokenToCheck,
): Promise<FederationProblem | undefined> {
  const { name, report } = parts
  report.progress(`the federation API of ${name.text}`)
  const connection = await connectTo(parts)
  if ('code' in connection) {
    report.skipped('federation', 'needs the connection')
    report.skipped('openid', 'needs the connection')
    return connection
  }
  const { get, hosts, doubt } = connection
  const lack = await checkVersion(parts, get)
  const code = await checkOpenId(parts, get, token)
  if (doubt !== undefined) reportDoubt(parts, doubt, code !== undefined)
  // Whatever keeps tokens from being verified most likely explains this too.
  if (lack !== undefined && code !== undefined) report.skipped('federation', 'see "openid"')
  if (lack !== undefined && code === undefined) report.warning('federation', lack)
  return code === undefined ? undefined : { code, hosts }
}
