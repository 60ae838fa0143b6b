import { type TSchema, t } from 'elysia'

/**
 * Part of every schema. Without it the framework's error prints the whole body, which takes seconds and
 * gigabytes if the body is deeply nested. Removed from the OpenAPI document.
 */
export const REFUSED = { error: 'refused' }
/** Permits unknown members, which clients send. */
export const OPEN = { ...REFUSED, additionalProperties: true }

/** Longer than any real ID; bounds what is stored and logged. */
export const MAX_ID_LENGTH = 1_024

/** A required text. */
export const required = (description: string, example: string) =>
  t.String({ ...REFUSED, minLength: 1, description, examples: [example] })

/** A required ID. */
export const requiredId = (description: string, example: string) =>
  t.String({
    ...REFUSED,
    minLength: 1,
    maxLength: MAX_ID_LENGTH,
    description,
    examples: [example],
  })

/** Clients may send `null` for a missing field. */
export const optional = <T extends TSchema>(schema: T) => {
  const { description = '' } = schema
  // An error names what is wrong inside the value, since it is not `null`.
  const options = { ...REFUSED, description, formOf: () => 0 }
  return t.Optional(t.Union([schema, t.Null(REFUSED)], options))
}

/** A field of any type, which the service ignores. */
export const ignored = (description: string) => t.Optional(t.Any({ description }))
