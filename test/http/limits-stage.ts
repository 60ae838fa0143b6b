import { expect } from 'bun:test'
import { openSocket } from '../bench/http-socket.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

/** The service with its default limits, behind a proxy on loopback, and a clock that stands still. */
export interface LimitsStage {
  readonly homeserver: Homeserver
  readonly sfu: Sfu
  readonly app: TestApp
  /** Milliseconds; the limits go by it alone. */
  readonly clock: { now: number }
  /** Asks for a token of a user, through a proxy that sends these headers. */
  ask(user: string, headers?: Record<string, string>): Promise<Response>
  /** Asks with a token that nobody knows. */
  fail(headers?: Record<string, string>): Promise<Response>
  /** Number of requests to the homeserver and the SFU. */
  asked(): number
  [Symbol.asyncDispose](): Promise<void>
}

/** As a proxy names a client. */
export function from(address: string): Record<string, string> {
  return { 'X-Forwarded-For': address }
}

/** At most so many at once: the service of this process shares the runtime's cap on requests. */
const AT_ONCE = 100

/** Does something so many times, many of them at once. */
export async function times<T>(
  count: number,
  work: (index: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = []
  let next = 0
  async function workOn(): Promise<void> {
    while (next < count) {
      next += 1
      results.push(await work(next - 1))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, workOn))
  return results
}

/** How many answers have which status. */
export function statusesOf(responses: readonly Response[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {}
  for (const { status } of responses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Body of a request for a token. */
export function tokenBody(accessToken: string, user: string, more: object = {}): object {
  return {
    room_id: '!room:example.com',
    slot_id: 'm.call#ROOM',
    openid_token: { access_token: accessToken, matrix_server_name: 'example.com' },
    member: { id: 'member', claimed_user_id: user, claimed_device_id: 'DEVICE' },
    ...more,
  }
}

/** Uses up all that an address may send at once. */
export async function useUp({ app }: LimitsStage, headers: Record<string, string>): Promise<void> {
  expect(statusesOf(await times(1_000, () => app.post('/get_token', {}, headers)))).toEqual({
    400: 1_000,
  })
}

/** Sends a part of a request, and gives the head of the answer; nothing else is ever sent. */
export async function headAfter(port: number, part: string): Promise<string> {
  const socket = await openSocket(port)
  try {
    return await new Promise((resolve, reject) => {
      socket.once('data', (chunk) => resolve(String(chunk)))
      socket.once('close', () => reject(new Error('closed without an answer')))
      socket.write(part)
    })
  } finally {
    socket.destroy()
  }
}

/** Sets the stage. */
export async function startLimitsStage(
  env: Readonly<Record<string, string>> = {},
): Promise<LimitsStage> {
  const homeserver = await startHomeserver({ serverName: 'example.com' })
  const sfu = await startSfu(CREDENTIALS)
  const clock = { now: 5_000 }
  const app = await startTestApp({
    monotonicNow: () => clock.now,
    env: {
      LIVEKIT_URL: sfu.wsUrl,
      LIVEKIT_RATE_LIMIT: 'on',
      LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${homeserver.url}`,
      LIVEKIT_CS_API_URL_OVERRIDES: `example.com=${homeserver.url}`,
      ...env,
    },
  })

  return {
    homeserver,
    sfu,
    app,
    clock,
    ask(user, headers) {
      const token = homeserver.issueOpenIdToken(user)
      return app.post('/get_token', tokenBody(token, user), headers)
    },
    fail(headers) {
      return app.post('/get_token', tokenBody('unknown', '@alice:example.com'), headers)
    },
    asked: () => homeserver.requests.length + sfu.httpRequests.length,
    async [Symbol.asyncDispose]() {
      await Promise.all([app.close(), sfu.close(), homeserver.close()])
    },
  }
}
