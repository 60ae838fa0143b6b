import type { ConnectionProblem } from '../net/request-error.ts'
import type { Trouble } from '../trouble.ts'

/** Why a call of the SFU's API did not succeed. */
export type SfuCode =
  | `sfu.${ConnectionProblem}`
  | 'sfu.busy'
  | 'sfu.unavailable'
  | 'sfu.wrong-path'
  | 'sfu.needs-tls'
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

/** What has answered is not the SFU: a proxy, or whatever else is to be found under that path. */
export function notLiveKit(at: string, answer: string): SfuError {
  const found = `what answers at ${at} is not LiveKit's API: ${answer}`
  return new SfuError('not_livekit', { code: 'sfu.wrong-path', found })
}

/** An answer that the SFU does not give; `lack` says what is wrong with it. */
export function badAnswer(at: string, lack: string): SfuError {
  return new SfuError('malformed', { code: 'sfu.bad-answer', found: `the answer at ${at} ${lack}` })
}
