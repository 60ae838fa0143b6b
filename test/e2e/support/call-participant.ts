import { join } from 'node:path'
import { until } from '../../support/until.ts'
import { startProcess } from './child-process.ts'

/** A participant with media, in a process of its own. */
export interface CallParticipant extends AsyncDisposable {
  /** Says goodbye, as a client does whose user hangs up. */
  leave(): Promise<void>
  /** Ends without a word, as a client does that crashes. */
  crash(): Promise<void>
}

const program = join(import.meta.dir, 'call-client.ts')
const joinWithinMs = 20_000
let started = 0

/**
 * Joins a LiveKit room as a real client does.
 *
 * @param directory Existing one for its log.
 */
export async function joinCall(
  url: string,
  token: string,
  directory: string,
): Promise<CallParticipant> {
  started += 1
  const client = startProcess({
    command: [process.execPath, program, url, token],
    logFile: join(directory, `client-${started}.log`),
  })
  try {
    const joined = async () => /^joined$/m.test(await client.output())
    await until(joined, joinWithinMs)
  } catch (error) {
    await client.kill()
    throw new Error(await client.output(), { cause: error })
  }
  return {
    leave: async () => {
      const code = await client.stop()
      if (code !== 0) throw new Error(`left with code ${code}:\n${await client.output()}`)
    },
    crash: client.kill,
    [Symbol.asyncDispose]: client.kill,
  }
}
