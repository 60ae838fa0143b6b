import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { FieldError } from '../http/json-body.ts'

interface WithBody {
  readonly body: unknown
}

/** Path of the member that a schema refused, such as `member.id`. */
function fieldAt(pointer: string): string {
  return pointer.slice(1).replaceAll('/', '.')
}

/**
 * Makes a check of bodies that comes before the framework's own: that one prints the whole body into
 * its error, which takes seconds and gigabytes when the body is nested deeply.
 *
 * @param schemaFor - the schema that a body has to follow
 * @returns a check that throws {@link FieldError} for the first member that is missing or wrong
 */
export function checkBody<const T extends TSchema>(
  schemas: readonly T[],
  schemaFor: (body: unknown) => T,
): (context: WithBody) => void {
  const checks = new Map(schemas.map((schema) => [schema, TypeCompiler.Compile(schema)]))

  return function checkFields({ body }) {
    const check = checks.get(schemaFor(body))
    if (check === undefined || check.Check(body)) return
    throw new FieldError(fieldAt(check.Errors(body).First()?.path ?? ''))
  }
}

/** Makes such a check for bodies that all follow one schema. */
export function checkBodyBy(schema: TSchema): (context: WithBody) => void {
  return checkBody([schema], () => schema)
}
