import { join } from 'node:path'
import { type ChildProcess, startProcess } from '../../support/child-process.ts'
import { until } from '../../support/until.ts'

/** A participant with media, in a process of its own. */
export interface CallParticipant extends AsyncDisposable {
  /** Says goodbye, as a client does whose user hangs up. */
  leave(): Promise<void>
  /** Joins anew while the former connection is open, as a client does that has lost touch. */
  reconnect(): Promise<void>
  /** Ends without a word, as a client does that crashes. */
  crash(): Promise<void>
  /** Sends a microphone's sound; says whether the SFU lets it. A refusal takes the client 10 s. */
  publish(): Promise<boolean>
  /** Waits until media of another participant arrive. */
  untilReceiving(identity: string): Promise<void>
  /** Waits until the SFU has ended the connection, and returns its reason. */
  untilDisconnected(withinMs: number): Promise<string>
  /** Whether it is in the call. */
  isConnected(): Promise<boolean>
}

const program = join(import.meta.dir, 'call-client.ts')
const joinWithinMs = 20_000
const publishWithinMs = 20_000
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
  const client = startClient(url, token, directory)
  let joins = 0

  async function untilJoined(): Promise<void> {
    joins += 1
    const joined = () => client.output().match(/^joined$/gm)?.length === joins
    try {
      await until(joined, joinWithinMs)
    } catch (error) {
      await client.kill()
      throw new Error(client.output(), { cause: error })
    }
  }

  await untilJoined()
  return {
    leave: async () => {
      const code = await client.stop()
      if (code !== 0) throw new Error(`left with code ${code}:\n${client.output()}`)
    },
    reconnect: async () => {
      client.signal('SIGUSR2')
      await untilJoined()
    },
    crash: client.kill,
    publish: async () => {
      client.signal('SIGHUP')
      const [outcome] = await untilSaid(client, /^(not )?published/m, publishWithinMs)
      return outcome === 'published'
    },
    untilReceiving: async (identity) => {
      await until(() => client.output().includes(`receives ${identity}\n`))
    },
    untilDisconnected: async (withinMs) => {
      const [, reason = ''] = await untilSaid(client, /^disconnected (.*)$/m, withinMs)
      return reason
    },
    isConnected: async () => !/^disconnected/m.test(client.output()),
    [Symbol.asyncDispose]: client.kill,
  }
}

/** Starts a client that tries to join a LiveKit room, without waiting for what comes of it. */
export function startClient(url: string, token: string, directory: string): ChildProcess {
  started += 1
  return startProcess({
    command: [process.execPath, program, url, token],
    logFile: join(directory, `client-${started}.log`),
  })
}

function untilSaid(client: ChildProcess, line: RegExp, withinMs: number): Promise<RegExpExecArray> {
  return until(() => line.exec(client.output()), withinMs)
}
