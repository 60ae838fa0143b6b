/** Server names whose users have full access, or `*` for all. */
export type FullAccess = '*' | ReadonlySet<string>

/** Who has full access, and what the others may do all the same. */
export interface AccessPolicy {
  readonly fullAccess: FullAccess
  /** Whether users with restricted access may publish. */
  readonly restrictedCanPublish: boolean
}

/** What a user may do. Restricted users may join any call whose room and slot they know. */
export interface Access {
  readonly level: 'full' | 'restricted'
  /** Whether the LiveKit room is created for the user where there is none. */
  readonly canStartCalls: boolean
  /** Whether the service takes over the user's delayed leave events. */
  readonly canDelegate: boolean
  /** Whether the user may publish audio and video. */
  readonly canPublish: boolean
}

/** Tells whether the operator has named a server. */
export function isNamed(serverName: string, fullAccess: FullAccess): boolean {
  return fullAccess !== '*' && fullAccess.has(serverName)
}

/** What the users of a verified server name may do. */
export function accessOf(serverName: string, policy: AccessPolicy): Access {
  const { fullAccess, restrictedCanPublish } = policy
  if (fullAccess === '*' || fullAccess.has(serverName)) {
    return { level: 'full', canStartCalls: true, canDelegate: true, canPublish: true }
  }
  const canPublish = restrictedCanPublish
  return { level: 'restricted', canStartCalls: false, canDelegate: false, canPublish }
}
