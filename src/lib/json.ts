/** Parses JSON; `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Whether every string in a JSON value, keys included, is well-formed Unicode. JSON escapes can produce
 * lone surrogates, which can be neither hashed nor stored.
 */
export function isWellFormedJson(value: unknown): boolean {
  // No recursion: strangers choose the depth.
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next === 'string' && !next.isWellFormed()) return false
    if (typeof next !== 'object' || next === null) continue
    for (const [name, member] of Object.entries(next)) pending.push(name, member)
  }
  return true
}

/** A member of a JSON object; `undefined` if there is none or the value is not an object. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}

/** A member that is a non-empty string. */
export function textMember(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name)
  return typeof member === 'string' && member !== '' ? member : undefined
}
