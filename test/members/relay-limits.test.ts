import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import {
  ALICE,
  answerOf,
  type CallStage,
  CLIENT_TOKEN,
  headersOf,
  MATRIX_ROOM,
  startCallStage,
} from '../support/member-calls.ts'
import { type Reply, reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'
import type { Handler } from '../support/wire-server.ts'

const RELAY = '/_matrix/client/unstable/io.element.msc4512/appservice/fed_proxy'
const BODY = { ...CLIENT_TOKEN.body, server_name: 'other.example' }
const GOOD = reply(200, { status: 200, content: { jwt: 'theirs' } })
const TOO_LATE = {
  status: 502,
  errcode: 'M_UNKNOWN',
  error: 'The homeserver did not answer as expected.',
}

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage({ tuning: { answerWithinMs: 2_500, clientApiTimeoutMs: 1_000 } })
})
beforeEach(() => {
  stage.reset()
  stage.api.join(MATRIX_ROOM, ALICE, '@bob:other.example', '@bob:third.example')
})
afterAll(() => stage.close())

function ask(server_name: string, signal?: AbortSignal, app: TestApp = stage.app) {
  return fetch(app.url + CLIENT_TOKEN.path, {
    method: 'POST',
    headers: headersOf(CLIENT_TOKEN),
    body: JSON.stringify({ ...BODY, server_name }),
    ...(signal && { signal }),
  })
}

function later(delayMs: number, answer: Reply): Handler {
  return async () => {
    await Bun.sleep(delayMs)
    return answer
  }
}

function relayed(): number {
  return stage.homeserver.requests.filter(({ path }) => path.endsWith('/fed_proxy')).length
}

test('waits for another homeserver for longer than for an answer of our own', async () => {
  stage.homeserver.respond(RELAY, later(1_200, GOOD))
  expect(await stage.call(CLIENT_TOKEN, BODY)).toEqual({ status: 200, jwt: 'theirs' })
})

/** Answers by the destination of what is to be passed on. */
function byDestination(answers: Readonly<Record<string, readonly Handler[]>>): Handler {
  const asked = new Map<string, number>()
  return (request) => {
    const { destination } = JSON.parse(new TextDecoder().decode(request.body))
    const count = asked.get(destination) ?? 0
    asked.set(destination, count + 1)
    return answers[destination]?.[count]?.(request) ?? reply(500)
  }
}

test('answers before its own homeserver gives up, whatever takes so long', async () => {
  const unknown = reply(200, { status: 404, content: { errcode: 'M_UNRECOGNIZED' } })
  stage.api.join(MATRIX_ROOM, '@bob:fourth.example')
  const answers: Readonly<Record<string, readonly Handler[]>> = {
    'other.example': [() => ({ kind: 'hang' })],
    'third.example': [() => ({ kind: 'slow-body', everyMs: 300, body: { status: 200 } })],
    // Each in time, but not both together.
    'fourth.example': [later(1_500, unknown), later(1_500, GOOD)],
  }
  stage.homeserver.respond(RELAY, byDestination(answers))
  const asking = Object.keys(answers).map(async (destination) => {
    const start = performance.now()
    expect(await answerOf(ask(destination))).toEqual(TOO_LATE)
    const took = performance.now() - start
    expect(took).toBeGreaterThan(2_400)
    expect(took).toBeLessThan(6_000)
  })
  await Promise.all(asking)
  expect(relayed()).toBe(4)
  const line = await until(() => stage.app.log.find(({ step }) => step === 'homeserver'))
  expect([line.code, line.cause]).toEqual([
    'homeserver.too-slow',
    'the homeserver, or another one, took too long',
  ])
})

test('a destination that hangs leaves places for the others, and for those who gave up', async () => {
  stage.homeserver.respond(RELAY, { kind: 'hang' })
  const patient = await stage.startReplica({ tuning: { answerWithinMs: 60_000 } })
  const hangUp = new AbortController()
  const hanging = Array.from({ length: 5 }, () =>
    ask('other.example', hangUp.signal, patient).catch(() => 'hung up'),
  )
  await until(() => relayed() === 4)
  stage.homeserver.respond(RELAY, GOOD)
  const other = await answerOf(ask('third.example', undefined, patient))
  expect(other).toEqual({ status: 200, jwt: 'theirs' })
  expect(relayed()).toBe(5)

  hangUp.abort()
  expect(await Promise.all(hanging)).toEqual(Array.from({ length: 5 }, () => 'hung up'))
  const after = await answerOf(ask('other.example', undefined, patient))
  expect(after).toEqual({ status: 200, jwt: 'theirs' })
})

test.each([
  [{ 'io.element.msc4512.stable': true }, '/_matrix/client/v1/appservice/fed_proxy'],
  [{ 'io.element.msc4512.stable': false }, RELAY],
  [{ 'io.element.msc4512': true, 'io.element.msc4502.stable': false }, RELAY],
])('relays by the path that /versions names: %j', async (features, path) => {
  stage.homeserver.setUnstableFeatures(features)
  stage.homeserver.respond(path, GOOD)
  const app = await stage.startReplica()
  expect(await answerOf(ask('other.example', undefined, app))).toEqual({
    status: 200,
    jwt: 'theirs',
  })
  expect(stage.asked().at(-1)).toBe('fed_proxy')
})
