import type { AuthorisedUser } from './authorisation.ts'

/** A verified user in one LiveKit room. */
export interface Participant {
  readonly user: AuthorisedUser
  /** Name of the LiveKit room. */
  readonly room: string
  /** LiveKit identity. */
  readonly identity: string
}
