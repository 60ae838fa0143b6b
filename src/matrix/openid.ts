import { parseJson, textMember } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import { answerText, matrixErrorCode } from './exchange-trouble.ts'
import type { Asker, Federation } from './federation.ts'
import { serverNameOfUser } from './server-name.ts'
import { type FederationCode, VerificationError } from './verification-error.ts'

/** An OpenID token, as a client sends it. */
export interface OpenIdToken {
  /** Server name of the homeserver that issued it, as the client claims. */
  readonly matrixServerName: string
  readonly accessToken: string
}

/**
 * Asks the homeserver that issued a token for its user ID.
 *
 * @throws {VerificationError} when the token cannot be verified, for any reason
 */
export type VerifyOpenIdToken = (token: OpenIdToken, asker?: Asker) => Promise<string>

/** Path of the endpoint that tells whose a token is. */
export const USERINFO_PATH = '/_matrix/federation/v1/openid/userinfo'

function failure(code: FederationCode, found: string): VerificationError {
  return new VerificationError('userinfo', { code, found })
}

/** What an answer other than 200 means. */
function codeFor(answer: Answer): FederationCode {
  const { status } = answer
  const errcode = matrixErrorCode(answer)
  if (status === 429 || status >= 500) return 'federation.unavailable'
  if (errcode === 'M_UNRECOGNIZED') return 'federation.no-openid'
  // A proxy that wants a password answers 401 too.
  if (status === 401 && errcode === 'M_UNKNOWN_TOKEN') return 'federation.token-refused'
  return errcode === undefined ? 'federation.not-matrix' : 'federation.unexpected-answer'
}

/**
 * Reads the user ID in the answer to a token.
 *
 * @throws {VerificationError} when it holds none
 */
export function subjectOf(answer: Answer): string {
  const { status, body } = answer
  if (status !== 200) throw failure(codeFor(answer), answerText(answer, USERINFO_PATH))
  const json = parseJson(body)
  if (json === undefined) {
    throw failure('federation.not-matrix', answerText(answer, USERINFO_PATH, 'no JSON'))
  }
  const subject = textMember(json, 'sub')
  if (subject !== undefined) return subject
  throw failure('federation.unexpected-answer', answerText(answer, USERINFO_PATH, 'no "sub"'))
}

/**
 * Creates {@link VerifyOpenIdToken}.
 *
 * @see https://spec.matrix.org/latest/server-server-api/#get_matrixfederationv1openiduserinfo
 */
export function createOpenIdVerifier(federation: Federation): VerifyOpenIdToken {
  return async function verifyOpenIdToken({ matrixServerName, accessToken }, asker) {
    const query = `access_token=${encodeURIComponent(accessToken)}`
    const answer = await federation.get(matrixServerName, `${USERINFO_PATH}?${query}`, asker)
    const userId = subjectOf(answer)
    // Otherwise a homeserver could vouch for users of another.
    if (serverNameOfUser(userId) !== matrixServerName) {
      throw failure('federation.foreign-user', '"sub" is not a user of the server asked')
    }
    return userId
  }
}
