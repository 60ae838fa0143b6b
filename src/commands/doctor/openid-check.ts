import type { CauseCode } from '../../catalogue/catalogue.ts'
import { subjectOf, USERINFO_PATH } from '../../matrix/openid.ts'
import { serverNameOfUser } from '../../matrix/server-name.ts'
import { VerificationError } from '../../matrix/verification-error.ts'
import type { Trouble } from '../../trouble.ts'
import { attempt, type Get, isAnswer } from './asking.ts'
import type { ServerCheckParts } from './homeserver-clients.ts'

/** Whose token is looked at; both may be unknown. */
export interface TokenToCheck {
  /** Secret. */
  readonly token: string | undefined
  readonly user: string | undefined
}

async function userOf(get: Get, token: string): Promise<string | Trouble<CauseCode>> {
  const query = `access_token=${encodeURIComponent(token)}`
  const outcome = await attempt('federation', get(`${USERINFO_PATH}?${query}`))
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
export async function checkOpenId(
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
