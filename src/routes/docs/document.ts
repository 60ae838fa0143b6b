import { REFUSED } from '../fields.ts'

/** A JSON value of the document. */
type Json = unknown

type JsonObject = Readonly<Record<string, Json>>

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a schema member is only for the framework, or states a default. */
function isSuperfluous(key: string, value: Json): boolean {
  if (typeof value === 'function') return true
  return (key === 'error' && value === REFUSED.error) || (key === 'additionalProperties' && !!value)
}

function cleaned(value: Json): Json {
  if (Array.isArray(value)) return value.map(cleaned)
  if (!isObject(value)) return value
  const entries = Object.entries(value).filter(([key, member]) => {
    return !isSuperfluous(key, member)
  })
  return Object.fromEntries(entries.map(([key, member]) => [key, cleaned(member)]))
}

/** Replaces copies of the named schemas with references. */
function withReferences(value: Json, names: ReadonlyMap<string, string>, isRoot: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => withReferences(item, names, false))
  if (!isObject(value)) return value
  const name = isRoot ? undefined : names.get(JSON.stringify(value))
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withReferences(member, names, false)]),
  )
}

/**
 * Cleans up the framework's OpenAPI document for client generators: named schemas become references,
 * and members that only the framework needs are removed.
 *
 * @param schemas - by name
 */
export function refineDocument(
  document: object,
  schemas: Readonly<Record<string, object>>,
): object {
  const plain = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, cleaned(schema)]),
  )
  const names = new Map(
    Object.entries(plain).map(([name, schema]) => [JSON.stringify(schema), name]),
  )
  const components = Object.fromEntries(
    Object.entries(plain).map(([name, schema]) => [name, withReferences(schema, names, true)]),
  )
  const refined = withReferences(cleaned(document), names, true) as JsonObject
  const own = isObject(refined.components) ? refined.components : {}
  return { ...refined, components: { ...own, schemas: components } }
}
