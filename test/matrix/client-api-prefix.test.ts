import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { accessHomeservers, never } from './homeserver-access.ts'

const VERSIONS = '/_matrix/client/versions'
const START = Date.UTC(2030, 0, 1)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const STABLE = { 'org.matrix.msc4140.stable': true }
const UNSTABLE = { 'org.matrix.msc4140': true }
const UNRECOGNIZED = reply(404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' })

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  stage.point('hs.test', '127.0.0.1')
})
afterAll(() => stage.close())

/** A homeserver, and a client with a controlled clock that acts on an event there. */
async function startWith(features: Readonly<Record<string, boolean>>, ...versions: Answer[]) {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  homeserver.setUnstableFeatures(features)
  homeserver.scheduleDelayedEvent('syd_1')
  if (versions.length > 0) homeserver.respond(VERSIONS, ...versions)
  const clock = { now: START }
  const tuning = { clientApiTimeoutMs: 2_000 }
  const { clientApi } = accessHomeservers(stage, { now: () => clock.now, tuning })
  const baseUrl = `https://hs.test:${homeserver.port}`
  const event = { serverName: 'origin.test', baseUrl, delayId: 'syd_1' }
  const restart = () => clientApi.actOnDelayedEvent(event, 'restart', never())
  return {
    homeserver,
    clock,
    restart,
    versionsAsked: () => homeserver.requests.filter(({ path }) => path === VERSIONS).length,
  }
}

const prefixes = ({ delayedEventCalls }: Homeserver) => delayedEventCalls.map((c) => c.prefix)

describe('the prefix', () => {
  test.each([
    ['stable', 'stable', STABLE],
    ['unstable', 'unstable', UNSTABLE],
    ['both', 'stable', { ...STABLE, ...UNSTABLE }],
  ] as const)('of a homeserver that advertises %s is %s', async (_what, prefix, features) => {
    const { homeserver, restart } = await startWith(features)
    expect(await restart()).toEqual({ kind: 'done' })
    expect(prefixes(homeserver)).toEqual([prefix])
  })

  test.each([
    ['advertises neither', reply(200, { versions: ['v1.11'] })],
    ['answers nonsense', { kind: 'invalid-json' }],
    ['refuses the question', reply(403)],
    ['closes the connection at the question', { kind: 'close' }],
  ] as const)('of a homeserver that %s is guessed as unstable', async (_what, versions) => {
    const { homeserver, restart } = await startWith(UNSTABLE, versions)
    expect(await restart()).toEqual({ kind: 'done' })
    expect(prefixes(homeserver)).toEqual(['unstable'])
  })

  test('is asked for once an hour', async () => {
    const { clock, restart, versionsAsked } = await startWith(STABLE)
    await restart()
    await restart()
    clock.now = START + HOUR - 1
    await restart()
    expect(versionsAsked()).toBe(1)
    clock.now = START + HOUR + 1
    await restart()
    expect(versionsAsked()).toBe(2)
  })

  test('is asked for again after five minutes when it was a guess', async () => {
    const { clock, restart, versionsAsked } = await startWith(UNSTABLE, reply(200, {}))
    await restart()
    clock.now = START + 5 * MINUTE - 1
    await restart()
    expect(versionsAsked()).toBe(1)
    clock.now = START + 5 * MINUTE + 1
    await restart()
    expect(versionsAsked()).toBe(2)
  })

  test('is requested once for concurrent callers', async () => {
    const { restart, versionsAsked } = await startWith(STABLE)
    const answers = await Promise.all(Array.from({ length: 20 }, restart))
    expect(answers.every(({ kind }) => kind === 'done')).toBe(true)
    expect(versionsAsked()).toBe(1)
  })
})

describe('404 M_UNRECOGNIZED', () => {
  test.each([
    ['unstable', 'stable', STABLE, reply(200, { unstable_features: UNSTABLE })],
    ['stable', 'unstable', UNSTABLE, reply(200, { unstable_features: STABLE })],
  ] as const)('under %s leads to %s, which is remembered', async (first, second, real, told) => {
    const { homeserver, clock, restart, versionsAsked } = await startWith(real, told)
    expect(await restart()).toEqual({ kind: 'done' })
    expect(prefixes(homeserver)).toEqual([first, second])
    clock.now = START + HOUR - 1
    expect(await restart()).toEqual({ kind: 'done' })
    expect(prefixes(homeserver)).toEqual([first, second, second])
    expect(versionsAsked()).toBe(1)
  })

  test('under both is a failure, and nothing is remembered', async () => {
    const { homeserver, restart } = await startWith({}, reply(200, { unstable_features: STABLE }))
    const failed = {
      kind: 'failed',
      answered: true,
      trouble: {
        code: 'delayed-events.unsupported',
        found: 'the homeserver does not support delayed events',
      },
    } as const
    expect(await restart()).toEqual(failed)
    expect(prefixes(homeserver)).toEqual(['stable', 'unstable'])
    expect(await restart()).toEqual(failed)
    expect(prefixes(homeserver)).toEqual(['stable', 'unstable', 'stable', 'unstable'])
  })

  test('under one leads to the answer of the other', async () => {
    const { homeserver, restart } = await startWith(STABLE)
    homeserver.respond('/_matrix/client/v1/*', UNRECOGNIZED)
    homeserver.respond('/_matrix/client/unstable/*', reply(404, { errcode: 'M_NOT_FOUND' }))
    expect(await restart()).toEqual({ kind: 'gone' })
  })

  test('with another status than 404 does not try the other prefix', async () => {
    const { homeserver, restart } = await startWith(STABLE)
    homeserver.respond('/_matrix/client/v1/*', reply(405, { errcode: 'M_UNRECOGNIZED' }))
    const peer = `hs.test at 127.0.0.1 port ${homeserver.port}`
    expect(await restart()).toEqual({
      kind: 'failed',
      answered: true,
      trouble: {
        code: 'delayed-events.refused',
        found: `status 405, M_UNRECOGNIZED, for /delayed_events from ${peer}`,
      },
    })
    expect(prefixes(homeserver)).toEqual(['stable'])
  })
})
