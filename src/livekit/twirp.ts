import { type CancellationSignal, toAbortSignal } from '../lib/cancellation.ts'
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts'
import { type Gate, GateRefusal } from '../lib/gate.ts'
import { parseJson, textMember } from '../lib/json.ts'
import { readAtMost } from '../lib/read-at-most.ts'
import { type ConnectionProblem, connectionProblem } from '../net/request-error.ts'
import type { Trouble } from '../trouble.ts'

/** Why a call of the SFU's API did not succeed. */
export type SfuCode =
  | `sfu.${ConnectionProblem}`
  | 'sfu.busy'
  | 'sfu.unavailable'
  | 'sfu.wrong-path'
  | 'sfu.wrong-credentials'
  | 'sfu.call-refused'
  | 'sfu.bad-answer'

/** A call of the SFU's API did not succeed. */
export class SfuError extends Error {
  readonly code = 'sfu-failed'
  /** The Twirp code where the SFU answered, else what stands for one. */
  readonly twirpCode: string
  readonly trouble: Trouble<SfuCode>

  constructor(twirpCode: string, trouble: Trouble<SfuCode>) {
    super(trouble.found)
    this.name = 'SfuError'
    this.twirpCode = twirpCode
    this.trouble = trouble
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
  readonly signal?: CancellationSignal
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

const TWIRP_CODE = /^[a-z_]{1,40}$/
/** Far more than a room or a participant with all its attributes. */
const MAX_BYTES = 1024 * 1024

/** What has answered is not the SFU: a proxy, or whatever else is to be found under that path. */
export function notLiveKit(at: string, answer: string): SfuError {
  const found = `what answers at ${at} is not LiveKit's API: ${answer}`
  return new SfuError('not_livekit', { code: 'sfu.wrong-path', found })
}

/** An answer that the SFU does not give. */
export function badAnswer(found: string): SfuError {
  return new SfuError('malformed', { code: 'sfu.bad-answer', found })
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
  throw badAnswer('the answer is empty or too large')
}

function codeFor(status: number): SfuCode {
  if (status === 401) return 'sfu.wrong-credentials'
  return status === 429 || status >= 500 ? 'sfu.unavailable' : 'sfu.call-refused'
}

/** What the texts of LiveKit's own refusals begin with; they go on with the token. */
const REFUSALS: readonly (readonly [beginning: string, meaning: string])[] = [
  ['invalid API key', 'it does not know the API key'],
  ['invalid token', 'it knows the API key, but the secret or the clock differs'],
]

/** Refusals of a token are plain text, unlike all other errors. */
async function refusedToken(response: Response, at: string): Promise<SfuError> {
  const bytes = response.body === null ? undefined : await readAtMost(response.body, MAX_BYTES)
  const text = new TextDecoder().decode(bytes)
  const meaning = REFUSALS.find(([beginning]) => text.startsWith(beginning))?.[1]
  const found = `status 401 at ${at}${meaning === undefined ? '' : `: ${meaning}`}`
  return new SfuError('unauthenticated', { code: 'sfu.wrong-credentials', found })
}

/** Messages of the SFU are not passed on: they may repeat the token. */
async function errorAnswer(response: Response, at: string): Promise<SfuError> {
  const { status } = response
  if (!hasType(response, 'application/json')) {
    if (status === 401) return refusedToken(response, at)
    await response.body?.cancel()
    if (status === 404) return notLiveKit(at, 'status 404')
    const found = `status ${status} at ${at}, and no error of LiveKit`
    const code = status === 429 || status >= 500 ? 'sfu.unavailable' : 'sfu.wrong-path'
    return new SfuError('unexpected_answer', { code, found })
  }
  const json = parseJson(new TextDecoder().decode(await readBody(response)))
  const told = TWIRP_CODE.exec(textMember(json, 'code') ?? '')?.[0] ?? 'unexpected_answer'
  const twirpCode = told === 'not_found' && status !== 404 ? 'unexpected_answer' : told
  const found = `status ${status}, ${twirpCode}, at ${at}`
  if (twirpCode === 'bad_route') return new SfuError(twirpCode, { code: 'sfu.wrong-path', found })
  return new SfuError(twirpCode, { code: codeFor(status), found })
}

function whyNoAnswer(error: unknown): readonly [SfuCode, string] {
  if (error instanceof DeadlineExceeded) return ['sfu.timeout', error.message]
  if (error instanceof GateRefusal) return ['sfu.busy', error.message]
  const [problem, text] = connectionProblem(error)
  return [`sfu.${problem}`, text]
}

function toSfuError(error: unknown, at: string): SfuError {
  if (error instanceof SfuError) return error
  const [code, text] = whyNoAnswer(error)
  return new SfuError('unreachable', { code, found: `${text}, at ${at}` })
}

/** Host, port and path; a URL of the SFU holds nothing else. */
function shown({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`
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
  const at = shown(new URL(serviceUrl))

  async function exchange({ method, jwt, message }: TwirpCall, signal: CancellationSignal) {
    const response = await fetch(`${serviceUrl}/${method}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/protobuf', Authorization: `Bearer ${jwt}` },
      body: new Uint8Array(message),
      redirect: 'manual',
      signal: toAbortSignal(signal),
    })
    const asked = `${at}/${method}`
    if (response.status !== 200) throw await errorAnswer(response, asked)
    if (hasType(response, 'application/protobuf')) return readBody(response)
    await response.body?.cancel()
    throw notLiveKit(asked, 'status 200 without a protobuf message')
  }

  return async function callTwirp(call) {
    const { method, gate } = call
    const startedAt = performance.now()
    const end = (outcome: string) => onCall(method, outcome, performance.now() - startedAt)
    try {
      const answer = await withDeadline(timeoutMs, call.signal, (cancellation) => {
        if (gate === undefined) return exchange(call, cancellation)
        return gate.run(method, cancellation, (inner) => exchange(call, inner))
      })
      end('ok')
      return answer
    } catch (error) {
      const sfuError = toSfuError(error, `${at}/${method}`)
      // A call that was given up says nothing about the SFU.
      if (!call.signal?.aborted) end(sfuError.twirpCode)
      throw sfuError
    }
  }
}
