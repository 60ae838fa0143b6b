/** Parses JSON; `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether every string in a JSON value, keys included, is well-formed Unicode. */
function isWellFormedJson(value: unknown): boolean {
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

/**
 * Parses JSON whose strings are well-formed Unicode; `undefined` if it is not. JSON escapes can produce
 * lone surrogates, which can be neither hashed nor stored.
 *
 * @param text - well-formed itself
 */
export function parseWellFormedJson(text: string): unknown {
  const json = parseJson(text)
  // Looking through the value takes several times as long as looking for an escape.
  return !text.includes('\\u') || isWellFormedJson(json) ? json : undefined
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
