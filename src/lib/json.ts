/** The JSON value that a text holds, or `undefined` when it holds none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Tells whether every text in a JSON value is well-formed, names of members included. Half of a
 * surrogate pair can be neither hashed nor stored; JSON escapes can hold one.
 */
export function isWellFormedJson(value: unknown): boolean {
  // No recursion: strangers choose how deep it goes.
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next === 'string' && !next.isWellFormed()) return false
    if (typeof next !== 'object' || next === null) continue
    for (const [name, member] of Object.entries(next)) pending.push(name, member)
  }
  return true
}

/** A member of a JSON value, or `undefined` when it is no object or has no such member. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}

/** A member that is a text and not empty. */
export function textMember(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name)
  return typeof member === 'string' && member !== '' ? member : undefined
}
