const MAX_BYTES = 255

/**
 * Server name of a user ID: what follows the first `:`. Gives `undefined` when it is no user ID.
 *
 * @see https://spec.matrix.org/latest/appendices/#user-identifiers
 */
export function serverNameOfUser(userId: string): string | undefined {
  if (!userId.startsWith('@') || Buffer.byteLength(userId) > MAX_BYTES) return undefined
  const colon = userId.indexOf(':')
  if (colon < 0 || colon === userId.length - 1) return undefined
  return userId.slice(colon + 1)
}
