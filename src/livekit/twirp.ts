import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts'
import { type Gate, GateRefusal } from '../lib/gate.ts'
import { parseJson, textMember } from '../lib/json.ts'
import { readAtMost } from '../lib/read-at-most.ts'
import { connectionFailure } from '../net/bounded-fetch.ts'

/** A call of the SFU's API did not succeed. */
export class SfuError extends Error {
  readonly code = 'sfu-failed'
  /** The Twirp code where the SFU answered, else what stands for one. */
  readonly twirpCode: string

  constructor(twirpCode: string, message: string) {
    super(message)
    this.name = 'SfuError'
    this.twirpCode = twirpCode
  }
}

/** One call of a Twirp service. */
export interface TwirpCall {
  readonly method: string
  /** Token for `Authorization`. */
  readonly jwt: string
  /** The request message in protobuf. */
  readonly message: Uint8Array
  /** Ends the call early when it fires. */
  readonly signal?: AbortSignal
  /** Bounds how many such calls are under way. */
  readonly gate?: Gate
}

/**
 * Calls a method and gives the answered message in protobuf.
 *
 * @throws {SfuError} when the SFU refuses, or cannot be reached in time
 */
export type CallTwirp = (call: TwirpCall) => Promise<Uint8Array>

/** Called when a call has ended; `outcome` is `ok` or the code of the error. */
export type OnTwirpCall = (method: string, outcome: string, durationMs: number) => void

const MAX_CODE_LENGTH = 40
/** Far more than a room or a participant with all its attributes. */
const MAX_BYTES = 1024 * 1024
const WRONG_KEY = ': it does not know LIVEKIT_KEY, or LIVEKIT_SECRET is wrong'

const WRONG_PATH = 'are host and path prefix of LIVEKIT_INTERNAL_URL, or of LIVEKIT_URL, right?'

/** What has answered is not the SFU: a proxy, or whatever else is to be found under that path. */
export function notLiveKit(path: string, found: string): SfuError {
  return new SfuError(
    'not_livekit',
    `what answers at ${path} is not LiveKit's API (${found}): ${WRONG_PATH}`,
  )
}

function hasType(response: Response, expected: string): boolean {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  return type.trim().toLowerCase() === expected
}

async function readBody(response: Response): Promise<Uint8Array> {
  const length = response.headers.get('content-length')
  // No more is read than was stated.
  if (length !== null && Number(length) <= MAX_BYTES) {
    return new Uint8Array(await response.arrayBuffer())
  }
  const bytes = response.body === null ? undefined : await readAtMost(response.body, MAX_BYTES)
  if (bytes !== undefined) return bytes
  throw new SfuError('malformed', 'the answer is empty or too large')
}

/** Messages of the SFU are not passed on: they may repeat the token. */
async function errorAnswer(response: Response, path: string): Promise<SfuError> {
  if (!hasType(response, 'application/json')) {
    await response.body?.cancel()
    const message = `status ${response.status}, unexpected_answer`
    if (response.status !== 404) return new SfuError('unexpected_answer', message)
    return notLiveKit(path, 'status 404')
  }
  const json = parseJson(new TextDecoder().decode(await readBody(response)))
  const told = (textMember(json, 'code') ?? 'unexpected_answer').slice(0, MAX_CODE_LENGTH)
  const code = told === 'not_found' && response.status !== 404 ? 'unexpected_answer' : told
  const hint = response.status === 401 ? WRONG_KEY : ''
  return new SfuError(code, `status ${response.status}, ${code}${hint}`)
}

function toSfuError(error: unknown): SfuError {
  if (error instanceof SfuError) return error
  if (error instanceof DeadlineExceeded || error instanceof GateRefusal) {
    return new SfuError('unreachable', error.message)
  }
  return new SfuError('unreachable', connectionFailure(error).message)
}

/**
 * Makes a client of a Twirp service: protobuf over HTTP.
 *
 * @param serviceUrl - URL of the service, without a slash at its end
 * @see https://twitchtv.github.io/twirp/docs/spec_v7.html
 */
export function createTwirpClient(
  serviceUrl: string,
  timeoutMs: number,
  onCall: OnTwirpCall = () => {},
): CallTwirp {
  const servicePath = new URL(serviceUrl).pathname

  async function exchange({ method, jwt, message }: TwirpCall, signal: AbortSignal) {
    const response = await fetch(`${serviceUrl}/${method}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/protobuf', Authorization: `Bearer ${jwt}` },
      body: new Uint8Array(message),
      redirect: 'manual',
      signal,
    })
    const path = `${servicePath}/${method}`
    if (response.status !== 200) throw await errorAnswer(response, path)
    if (hasType(response, 'application/protobuf')) return readBody(response)
    await response.body?.cancel()
    throw notLiveKit(path, 'status 200 without a protobuf message')
  }

  return async function callTwirp(call) {
    const { method, gate } = call
    const startedAt = performance.now()
    const end = (outcome: string) => onCall(method, outcome, performance.now() - startedAt)
    try {
      const answer = await withDeadline(timeoutMs, call.signal, (signal, cancellation) => {
        if (gate === undefined) return exchange(call, signal)
        return gate.run(method, cancellation, (inner) => exchange(call, inner))
      })
      end('ok')
      return answer
    } catch (error) {
      const sfuError = toSfuError(error)
      // A call that was given up says nothing about the SFU.
      if (!call.signal?.aborted) end(sfuError.twirpCode)
      throw sfuError
    }
  }
}
