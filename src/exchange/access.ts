/** Server names whose users have full access, or `*` for all. */
export type FullAccess = '*' | ReadonlySet<string>

/**
 * What a user may do: with full access, start calls and delegate leave events; restricted, join any call
 * that is there. Whether the user is in the Matrix room of that call is not checked.
 */
export type AccessLevel = 'full' | 'restricted'

/** The access level of the users of a verified server name. */
export function accessLevel(serverName: string, fullAccess: FullAccess): AccessLevel {
  return fullAccess === '*' || fullAccess.has(serverName) ? 'full' : 'restricted'
}
