/** What the homeserver asks for on behalf of one of its users, or of another homeserver. */
export interface MemberRequest {
  readonly userId: string
  /** Matrix room ID. */
  readonly roomId: string
  readonly slotId: string
  /** The ID that the client picked for this join. */
  readonly memberId: string
  /** The SFU's URL, as the client found it. */
  readonly url: string
  /** Name of the LiveKit room. */
  readonly room: string
  /** LiveKit identity. */
  readonly identity: string
}

/** A value of the request is not what it must be; the message names the field. */
export class InvalidParameter extends Error {
  readonly code = 'invalid-parameter'

  constructor(field: string, problem: string) {
    super(`The field "${field}" ${problem}.`)
    this.name = 'InvalidParameter'
  }
}

/**
 * Requires that a request is meant for this service's SFU.
 *
 * @throws {InvalidParameter}
 */
export function requireOwnUrl({ url }: MemberRequest, liveKitUrl: string): void {
  if (url !== liveKitUrl) throw new InvalidParameter('url', 'is not the URL of this SFU')
}
