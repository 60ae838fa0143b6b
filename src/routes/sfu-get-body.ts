import { checkBody } from './body-check.ts'
import { GetTokenBody, LegacyBody } from './models.ts'

/** Tells which form a body of `/sfu/get` has: with a `room_id` it is that of `/get_token`. */
export function isGetTokenForm<T>(body: T): body is Extract<T, GetTokenBody> {
  return typeof body === 'object' && body !== null && 'room_id' in body && body.room_id !== null
}

/**
 * Checks a body of `/sfu/get` against the form that it has: a union alone could not tell which member
 * is wrong.
 *
 * @throws {FieldError} when a member is missing or wrong
 */
export const checkSfuGetBody = checkBody([GetTokenBody, LegacyBody], (body) => {
  return isGetTokenForm(body) ? GetTokenBody : LegacyBody
})
