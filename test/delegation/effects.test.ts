import { beforeEach, describe, expect, test } from 'bun:test'
import { assembleEffects } from '../../src/app/effects.ts'
import { remedyFor } from '../../src/catalogue/catalogue.ts'
import type { Presence } from '../../src/livekit/room-service.ts'
import { createLogger } from '../../src/log.ts'
import type { DelayedEvent, DelayedEventResult } from '../../src/matrix/client-api.ts'
import type { ClientApiLocation } from '../../src/matrix/client-api-location.ts'
import { NO_METRICS } from '../../src/metrics.ts'
import type { LogLine } from '../support/app.ts'
import { connected, leaving, NOW, waiting } from '../support/delegations.ts'

const FOUND = { kind: 'found', baseUrl: 'https://found.test' } as const
const LOST = {
  kind: 'failed',
  answered: false,
  trouble: { code: 'client-api.refused', found: 'connection refused' },
} as const
const GIVEN_UP = { code: 'client-api.given-up', found: 'given up' } as const
const NOT_THERE = { code: 'client-api.no-well-known', found: 'status 404' } as const
const ROOM = { room: 'room', identity: '@alice:example.org:PHONE' }
const WARNING = {
  time: expect.any(String),
  level: 'warn',
  message: 'delegation: an attempt failed',
  ...ROOM,
  server_name: 'example.org',
}

let log: LogLine[]
let presence: Presence
let location: ClientApiLocation
let result: DelayedEventResult
let located: string[]
let acted: { readonly event: DelayedEvent; readonly limitMs: number | undefined }[]

beforeEach(() => {
  log = []
  presence = { kind: 'absent' }
  location = FOUND
  result = { kind: 'done' }
  located = []
  acted = []
})

function effects() {
  return assembleEffects({
    rooms: { findParticipant: async () => presence },
    locator: {
      async locate(serverName) {
        located.push(serverName)
        return location
      },
      locateUsable: async () => location,
    },
    clientApi: {
      async actOnDelayedEvent(event, _action, _signal, limitMs) {
        acted.push({ event, limitMs })
        return result
      },
    },
    logger: createLogger({
      level: 'debug',
      format: 'json',
      remedyFor,
      now: () => NOW,
      write: (line) => log.push(JSON.parse(line)),
    }),
    now: () => NOW,
    metrics: NO_METRICS,
  })
}

const never = new AbortController().signal
const aborted = AbortSignal.abort()

function restart(failures = 0, signal = never, clientApiUrl: string | undefined = undefined) {
  const known = clientApiUrl === undefined ? {} : { clientApiUrl }
  return effects().actOnEvent(connected({ failures, ...known }), 'restart', signal)
}

describe('an attempt that fails', () => {
  test('is logged as a warning the first time in a row, with subject and cause', async () => {
    result = LOST
    expect(await restart(0)).toMatchObject({ type: 'attempt-failed', answered: false })
    const remedy =
      'If it is your homeserver: open the port, or correct its address, in ' +
      'LIVEKIT_CS_API_URL_OVERRIDES if that names it, else in /.well-known/matrix/client. ' +
      'LIVEKIT_CS_API_URL_OVERRIDES can name another URL for a homeserver on your own network.'
    const what = { cause: 'connection refused', code: 'client-api.refused', remedy }
    expect(log).toEqual([{ ...WARNING, action: 'restart', ...what }])
    await restart(1)
    await restart(7)
    expect(log.map(({ level }) => level)).toEqual(['warn', 'debug', 'debug'])
  })

  test('is logged when the client API cannot be located', async () => {
    const trouble = { code: 'client-api.timeout', found: 'timeout after 5 s' } as const
    location = { kind: 'unknown', trouble }
    expect(await restart()).toEqual({ type: 'attempt-failed', answered: false })
    const remedy =
      'If it is your homeserver: check firewall and load; LIVEKIT_CS_API_URL_OVERRIDES can name ' +
      'another URL for a homeserver on your own network.'
    const what = { cause: 'timeout after 5 s', code: 'client-api.timeout', remedy }
    expect(log).toEqual([{ ...WARNING, action: 'restart', ...what }])
  })

  test('is logged when the SFU does not answer', async () => {
    const trouble = { code: 'sfu.unavailable', found: 'status 503, unavailable' } as const
    presence = { kind: 'unknown', trouble }
    for (const delegation of [
      waiting(),
      waiting({ failures: 1 }),
      connected({ failures: 3 }),
      connected({ checkFailures: 1 }),
    ]) {
      expect(await effects().checkPresence(delegation, never)).toEqual({ type: 'presence-unknown' })
    }
    const remedy = "Check LiveKit's log; if a proxy answers, whether LiveKit runs behind it."
    const what = { cause: 'status 503, unavailable', code: 'sfu.unavailable', remedy }
    const line = { ...WARNING, action: 'check-presence', ...what }
    expect(log).toEqual(['warn', 'debug', 'warn', 'debug'].map((level) => ({ ...line, level })))
  })

  test('is not logged when it was aborted', async () => {
    result = { ...LOST, trouble: GIVEN_UP }
    presence = { kind: 'unknown', trouble: { code: 'sfu.closed', found: 'given up' } }
    await restart(0, aborted)
    await effects().checkPresence(waiting(), aborted)
    expect(log).toEqual([])
  })

  test('is logged without the delay ID', async () => {
    result = LOST
    await effects().actOnEvent(leaving({ delayId: 'syd_hunter2' }), 'send', never)
    expect(JSON.stringify(log)).not.toContain('hunter2')
  })
})

describe('the client API', () => {
  const KNOWN = 'https://known.test'

  test('is the one from acceptance', async () => {
    expect(await restart(0, never, KNOWN)).toEqual({ type: 'restarted', at: NOW })
    expect(located).toEqual([])
    expect(acted[0]?.event).toEqual({
      serverName: 'example.org',
      baseUrl: KNOWN,
      delayId: 'delay-1',
    })
  })

  test('is located again if it was unknown or has failed', async () => {
    await restart(0)
    await restart(1, never, KNOWN)
    expect(located).toEqual(['example.org', 'example.org'])
    expect(acted.map(({ event }) => event.baseUrl)).toEqual([FOUND.baseUrl, FOUND.baseUrl])
  })

  test.each(['unknown', 'none'] as const)(
    'stays the one from acceptance when locating gives: %s',
    async (kind) => {
      location = { kind, trouble: NOT_THERE }
      await restart(1, never, KNOWN)
      expect(acted.map(({ event }) => event.baseUrl)).toEqual([KNOWN])
    },
  )

  test('is unresolvable when it was never known and there is none', async () => {
    location = { kind: 'none', trouble: NOT_THERE }
    expect(await restart()).toEqual({ type: 'client-api-unresolvable' })
    expect(acted).toEqual([])
  })
})

test.each([
  [20_000, 10_000],
  [3_000, 1_500],
  [1_000, 1_000],
  [-5, 1_000],
])('with %p ms until the deadline an attempt has a timeout of %p ms', async (leftMs, limitMs) => {
  await effects().actOnEvent(connected({ deadlineAt: NOW + leftMs }), 'restart', never)
  expect(acted[0]?.limitMs).toBe(limitMs)
})

test.each([
  [{ kind: 'done' }, { type: 'sent' }],
  [{ kind: 'gone' }, { type: 'event-gone' }],
  [
    {
      kind: 'failed',
      answered: true,
      retryAfterMs: 7,
      trouble: { code: 'delayed-events.rate-limited', found: 'status 429' },
    },
    { type: 'attempt-failed', answered: true, retryAfterMs: 7 },
  ],
  [LOST, { type: 'attempt-failed', answered: false }],
] as const)('the answer %j to a send becomes %j', async (answer, outcome) => {
  result = answer
  const sent = await effects().actOnEvent(leaving(), 'send', never)
  expect<unknown>(sent).toEqual(outcome)
})

test.each([
  [{ kind: 'absent' }, { type: 'absent' }],
  [
    { kind: 'present', participantId: 'PA_1' },
    { type: 'present', participantId: 'PA_1' },
  ],
  [{ kind: 'present', participantId: '' }, { type: 'present' }],
] as const)('the presence %j becomes %j', async (told, event) => {
  presence = told
  const found = await effects().checkPresence(waiting(), never)
  expect<unknown>(found).toEqual(event)
  expect(log).toEqual([])
})
