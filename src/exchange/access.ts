/** Server names whose users have full access, or `*` for all. */
export type FullAccess = '*' | ReadonlySet<string>

/** Which servers have full access, and what users of the others may do. */
export interface AccessPolicy {
  readonly fullAccess: FullAccess
  /** Whether users with restricted access may publish. */
  readonly restrictedCanPublish: boolean
}

/** What a user may do. Restricted users may join any call whose room and slot they know. */
export interface Access {
  readonly level: 'full' | 'restricted'
  /** Whether the LiveKit room is created for the user if it does not exist. */
  readonly canStartCalls: boolean
  /** Whether the service takes over the user's delayed leave events. */
  readonly canDelegate: boolean
  /** Whether the user may publish audio and video. */
  readonly canPublish: boolean
}

/** Whether the operator has listed a server by name. */
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
