import { join } from 'node:path'
import { until } from '../../support/until.ts'
import { startProcess } from './child-process.ts'

/** A participant with media, in a process of its own. */
export interface CallParticipant extends AsyncDisposable {
  /** Says goodbye, as a client does whose user hangs up. */
  leave(): Promise<void>
  /** Joins anew while the former connection is open, as a client does that has lost touch. */
  reconnect(): Promise<void>
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
  let joins = 0

  async function untilJoined(): Promise<void> {
    joins += 1
    const joined = async () => (await client.output()).match(/^joined$/gm)?.length === joins
    try {
      await until(joined, joinWithinMs)
    } catch (error) {
      await client.kill()
      throw new Error(await client.output(), { cause: error })
    }
  }

  await untilJoined()
  return {
    leave: async () => {
      const code = await client.stop()
      if (code !== 0) throw new Error(`left with code ${code}:\n${await client.output()}`)
    },
    reconnect: async () => {
      process.kill(client.pid, 'SIGUSR2')
      await untilJoined()
    },
    crash: client.kill,
    [Symbol.asyncDispose]: client.kill,
  }
}
