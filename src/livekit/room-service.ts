import { CreateRoomRequest } from '@livekit/protocol'
import type { TokenSigner } from './access-token.ts'

const EMPTY_TIMEOUT_SECONDS = 300
const DEPARTURE_TIMEOUT_SECONDS = 20
const TOKEN_TTL_SECONDS = 600
const TOKEN_REUSE_MS = 300_000
const REQUEST_TIMEOUT_MS = 5_000

/** Why a call of the SFU's API did not succeed; `code` is a Twirp code where the SFU answered. */
export class SfuError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'SfuError'
    this.code = code
  }
}

/** The part of LiveKit's room service that the token exchange needs. */
export interface RoomService {
  /**
   * Creates a LiveKit room; one that exists already is left as it is.
   *
   * @throws {SfuError} when the SFU refuses or cannot be reached
   */
  createRoom(name: string): Promise<void>
}

/** How the room service is reached. */
export interface RoomServiceOptions {
  /** The SFU's URL as configured (`ws`, `wss`, `http` or `https`), path prefix included. */
  readonly sfuUrl: string
  readonly signer: TokenSigner
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly timeoutMs?: number | undefined
}

/**
 * Base URL of the SFU's HTTP API: `ws` becomes `http`, `wss` becomes `https`, and a path prefix stays.
 */
export function sfuApiBase(sfuUrl: string): string {
  return sfuUrl.replace(/^wss:/i, 'https:').replace(/^ws:/i, 'http:').replace(/\/+$/, '')
}

function describeFailure(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `no answer within ${timeoutMs / 1000} s`
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return `connection failed (${code})`
}

async function twirpError(response: Response): Promise<SfuError> {
  const body: unknown = await response.json().catch(() => undefined)
  const code =
    typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string'
      ? body.code.slice(0, 40)
      : 'unexpected_answer'
  const hint =
    response.status === 401 ? ': it does not know LIVEKIT_KEY, or LIVEKIT_SECRET is wrong' : ''
  return new SfuError(code, `status ${response.status}, ${code}${hint}`)
}

/**
 * Calls LiveKit's room service: Twirp over HTTP, protobuf both ways.
 *
 * @see https://docs.livekit.io/reference/server/server-apis/
 */
export function createRoomService(options: RoomServiceOptions): RoomService {
  const { signer, now, timeoutMs = REQUEST_TIMEOUT_MS } = options
  const servicePath = `${sfuApiBase(options.sfuUrl)}/twirp/livekit.RoomService`
  let reusable: { readonly jwt: Promise<string>; readonly madeAt: number } | undefined

  function roomCreationToken(): Promise<string> {
    const at = now()
    if (reusable === undefined || Math.abs(at - reusable.madeAt) > TOKEN_REUSE_MS) {
      reusable = { jwt: signer.apiToken({ roomCreate: true }, TOKEN_TTL_SECONDS), madeAt: at }
    }
    return reusable.jwt
  }

  async function post(method: string, jwt: string, body: Uint8Array<ArrayBuffer>) {
    const request = fetch(`${servicePath}/${method}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/protobuf', Authorization: `Bearer ${jwt}` },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const response = await request.catch((error: unknown) => {
      throw new SfuError('unreachable', describeFailure(error, timeoutMs))
    })
    if (response.status !== 200) throw await twirpError(response)
    await response.arrayBuffer().catch((error: unknown) => {
      throw new SfuError('unreachable', describeFailure(error, timeoutMs))
    })
  }

  return {
    async createRoom(name) {
      const request = new CreateRoomRequest({
        name,
        emptyTimeout: EMPTY_TIMEOUT_SECONDS,
        departureTimeout: DEPARTURE_TIMEOUT_SECONDS,
        maxParticipants: 0,
      })
      await post('CreateRoom', await roomCreationToken(), new Uint8Array(request.toBinary()))
    },
  }
}
