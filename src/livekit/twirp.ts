import { type CancellationSignal, toAbortSignal } from '../lib/cancellation.ts'
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts'
import { type Gate, GateRefusal } from '../lib/gate.ts'
import { connectionProblem } from '../net/request-error.ts'
import { errorAnswer, hasType, readBody } from './sfu-answer.ts'
import { notLiveKit, type SfuCode, SfuError } from './sfu-error.ts'

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
    if (hasType(response, 'application/protobuf')) return readBody(response, asked)
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
        return gate.run({ key: method }, cancellation, (inner) => exchange(call, inner))
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
