import { TypeCompiler } from '@sinclair/typebox/compiler'
import { fieldAt } from './errors.ts'
import { FieldError } from './json-body.ts'
import { GetTokenBody, LegacyBody } from './schemas.ts'

const getToken = TypeCompiler.Compile(GetTokenBody)
const legacy = TypeCompiler.Compile(LegacyBody)

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
export function checkSfuGetBody({ body }: { readonly body: unknown }): void {
  const error = (isGetTokenForm(body) ? getToken : legacy).Errors(body).First()
  if (error !== undefined) throw new FieldError(fieldAt(error.path))
}
