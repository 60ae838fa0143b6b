const MAX_BYTES = 255

/** Of old IDs the local part may be almost anything, yet no half of a surrogate pair and no NUL. */
function isText(userId: string): boolean {
  return userId.isWellFormed() && !userId.includes('\0')
}

/**
 * Server name of a user ID: what follows the first `:`. Gives `undefined` when it is no user ID.
 *
 * @see https://spec.matrix.org/latest/appendices/#user-identifiers
 */
export function serverNameOfUser(userId: string): string | undefined {
  if (!userId.startsWith('@') || !isText(userId)) return undefined
  if (Buffer.byteLength(userId) > MAX_BYTES) return undefined
  const colon = userId.indexOf(':')
  if (colon < 0 || colon === userId.length - 1) return undefined
  return userId.slice(colon + 1)
}
