import { readAtMost } from '../lib/read-at-most.ts'
import { DeadlineExceeded, inTime } from '../net/deadline.ts'

/** Why a body cannot be taken. */
export type BodyFault = 'not-json' | 'too-large' | 'too-slow'

/** The body of a request cannot be taken. */
export class BodyError extends Error {
  readonly fault: BodyFault

  constructor(fault: BodyFault, message: string) {
    super(message)
    this.name = 'BodyError'
    this.fault = fault
  }
}

const MAX_DURATION_MS = 10_000

function tooLarge(maxBytes: number): BodyError {
  return new BodyError('too-large', `The body is larger than ${maxBytes / 1024} KiB.`)
}

async function read(request: Request, maxBytes: number): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes)
  // No more arrives than was stated.
  if (length !== null) return new Uint8Array(await request.arrayBuffer())
  if (request.body === null) return new Uint8Array()
  const bytes = await readAtMost(request.body, maxBytes)
  if (bytes === undefined) throw tooLarge(maxBytes)
  return bytes
}

/**
 * Reads the body of a request.
 *
 * @throws {BodyError} when it is too large or takes too long
 */
export async function readBodyBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  try {
    return await inTime(MAX_DURATION_MS, read(request, maxBytes))
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error
    throw new BodyError('too-slow', 'The body did not arrive in time.')
  }
}
