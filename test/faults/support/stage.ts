import { expect } from 'bun:test'
import { logLines, required } from '../../process/commands.ts'
import { CREDENTIALS } from '../../support/credentials.ts'
import { freePort } from '../../support/free-port.ts'
import { type Homeserver, startHomeserver } from '../../support/homeserver.ts'
import { type ServiceProcess, startService } from '../../support/service-process.ts'
import { type Sfu, startSfu } from '../../support/sfu.ts'
import { command } from './command.ts'
import { addDelayedEvents, type DelayedEvents } from './delayed-events.ts'

type Environment = Readonly<Record<string, string>>

/** A homeserver with users and delayed events. */
export interface Home {
  readonly server: Homeserver
  readonly events: DelayedEvents
}

/** Homeservers, an SFU, and any number of processes of the service. */
export interface Stage extends Home {
  readonly sfu: Sfu
  /** `other.example`, beside `example.com`. */
  readonly other: Home
  /** What every process of the service is started with. */
  readonly settings: Environment
  /** Starts a process that is killed at the end, if it still lives. */
  start(env?: Environment): Promise<ServiceProcess>
  [Symbol.asyncDispose](): Promise<void>
}

/** Log messages that only a bug causes. */
const NEVER_SAID = /^(?:a delegation could not be worked on|internal error)/

/** Stops a process, and checks that it did not crash and logged no secret. */
export async function stopCalmly(service: ServiceProcess): Promise<void> {
  expect(await service.stop()).toBe(0)
  // Whatever the runtime says of an unhandled error is no JSON.
  const lines = logLines(service.output())
  expect(lines.filter(({ message }) => NEVER_SAID.test(String(message)))).toEqual([])
  expect(service.output()).not.toContain('secret-part')
}

async function startHome(serverName: string): Promise<Home> {
  // A port that nobody takes while a test has closed it.
  const server = await startHomeserver({ serverName, port: freePort('127.0.0.1') })
  return { server, events: addDelayedEvents(server) }
}

function overrides(homes: readonly Home[]): string {
  return homes.map(({ server }) => `${server.serverName}=${server.url}`).join(',')
}

/** Starts processes one after another: many at once would all be too slow. */
function createTurns() {
  let last: Promise<unknown> = Promise.resolve()
  return function takeTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}

const takeTurn = createTurns()

/** Between finding a free port and using it, somebody else may take it. */
async function startOnFreePort(env: Environment): Promise<ServiceProcess> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startService({ command, env })
    } catch (error) {
      const message = error instanceof Error ? error.message : ''
      if (attempt === 3 || !message.includes('the port is in use')) throw error
    }
  }
}

/** Sets the stage; `env` is for every process of the service. */
export async function startStage(env: Environment = {}): Promise<Stage> {
  const home = await startHome('example.com')
  const other = await startHome('other.example')
  const sfu = await startSfu(CREDENTIALS)
  const services: ServiceProcess[] = []
  const places = overrides([home, other])
  const settings = {
    ...required,
    LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com other.example',
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_FEDERATION_URL_OVERRIDES: places,
    LIVEKIT_CS_API_URL_OVERRIDES: places,
    ...env,
  }

  return {
    ...home,
    other,
    sfu,
    settings,
    async start(more = {}) {
      const begin = () => startOnFreePort({ ...settings, ...more })
      // Time is short for one that takes the place of another.
      const service = await (services.length === 0 ? takeTurn(begin) : begin())
      services.push(service)
      return service
    },
    async [Symbol.asyncDispose]() {
      for (const service of services) await service.kill()
      for (const { events, server } of [home, other]) {
        events.close()
        await server.close()
      }
      await sfu.close()
    },
  }
}
