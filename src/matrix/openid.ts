import { parseJson, textMember } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import type { Federation } from './federation.ts'
import { serverNameOfUser } from './server-name.ts'
import { VerificationError } from './verification-error.ts'

/** An OpenID token, as a client sends it. */
export interface OpenIdToken {
  /** Server name of the homeserver that issued it, as the client claims. */
  readonly matrixServerName: string
  readonly accessToken: string
}

/**
 * Asks the homeserver that issued a token for its user ID.
 *
 * @param signal - fires when the caller no longer needs the answer
 * @throws {VerificationError} when the token cannot be verified, for any reason
 */
export type VerifyOpenIdToken = (token: OpenIdToken, signal?: AbortSignal) => Promise<string>

const USERINFO_PATH = '/_matrix/federation/v1/openid/userinfo'

const REFUSED = 'the homeserver refused the token'

function subjectOf({ status, body }: Answer): string {
  if (status === 401) throw new VerificationError('userinfo', REFUSED, { isRefusal: true })
  if (status !== 200) throw new VerificationError('userinfo', `status ${status}`)
  const json = parseJson(body)
  if (json === undefined) throw new VerificationError('userinfo', 'answer is not JSON')
  const subject = textMember(json, 'sub')
  if (subject === undefined) throw new VerificationError('userinfo', 'answer has no "sub"')
  return subject
}

/**
 * Creates {@link VerifyOpenIdToken}.
 *
 * @see https://spec.matrix.org/latest/server-server-api/#get_matrixfederationv1openiduserinfo
 */
export function createOpenIdVerifier(federation: Federation): VerifyOpenIdToken {
  return async function verifyOpenIdToken({ matrixServerName, accessToken }, signal) {
    const query = `access_token=${encodeURIComponent(accessToken)}`
    const answer = await federation.get(matrixServerName, `${USERINFO_PATH}?${query}`, signal)
    const userId = subjectOf(answer)
    // Otherwise a homeserver could vouch for users of another.
    if (serverNameOfUser(userId) !== matrixServerName) {
      throw new VerificationError('userinfo', '"sub" is not a user of the server asked')
    }
    return userId
  }
}
