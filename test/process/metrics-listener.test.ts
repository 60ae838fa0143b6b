import { describe, expect, test } from 'bun:test'
import type { Readiness } from '../../src/routes/operation.ts'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { metricNames } from '../support/metrics-text.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'
import { logLines, required, run } from './commands.ts'
import { type Stage, startStage } from './stage.ts'

interface Operated extends Stage {
  /** `http://127.0.0.1:PORT` of the metrics listener. */
  readonly operation: string
}

async function start(env: Readonly<Record<string, string>> = {}): Promise<Operated> {
  const port = await findClosedPort()
  const stage = await startStage({ LIVEKIT_METRICS_BIND: `127.0.0.1:${port}`, ...env })
  return { ...stage, operation: `http://127.0.0.1:${port}` }
}

async function readiness({ operation }: Operated) {
  const response = await fetch(`${operation}/readyz`)
  const found = (await response.json()) as Readiness
  return { code: response.status, ...found }
}

/** Waits until the service says so about itself. */
function becomes(stage: Operated, status: Readiness['status']) {
  return until(async () => {
    const found = await readiness(stage)
    return found.status === status && found
  })
}

const READY = { code: 200, status: 'ready' as const, reasons: [] }
const STORE_AWAY = {
  code: 200,
  status: 'degraded' as const,
  reasons: ['the state store is away: delegations are refused'],
}

test('has metrics, readiness and liveness, and nothing else', async () => {
  await using stage = await start()
  const { operation } = stage
  const metrics = await fetch(`${operation}/metrics`)
  expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(metricNames(await metrics.text())).toContain('jwt_service_requests_total')
  expect(await readiness(stage)).toEqual(READY)
  expect((await fetch(`${operation}/healthz`)).status).toBe(200)
  for (const path of ['/', '/get_token', '/sfu_webhook', '/swagger', '/metrics/x', '/readyz/x']) {
    expect([path, (await fetch(operation + path)).status]).toEqual([path, 404])
  }
  expect((await fetch(`${operation}/metrics`, { method: 'POST' })).status).toBe(404)
})

test('says at the start where it listens', async () => {
  await using stage = await start()
  const line = await until(() =>
    logLines(stage.running.output()).find(({ message }) => message === 'metrics'),
  )
  expect(line).toMatchObject({ host: '127.0.0.1', port: Number(new URL(stage.operation).port) })
})

test('neither metrics nor readiness are ever public', async () => {
  await using stage = await start()
  for (const path of ['/metrics', '/readyz', '/metrics/', '/readyz/', '//metrics']) {
    const response = await fetch(stage.running.url + path)
    expect([path, response.status]).toEqual([path, 404])
    expect(await response.text()).toBe(
      '{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}',
    )
  }
})

test('says from the first moment of shutting down that it is unready, while it serves requests', async () => {
  await using stage = await start({ LIVEKIT_SHUTDOWN_DELAY_SECONDS: '2' })
  const token = stage.homeserver.issueOpenIdToken('@alice:example.com')
  const unready = { code: 503, status: 'unready' as const, reasons: ['shutting down'] }
  expect(await readiness(stage)).toEqual(READY)
  stage.running.signal('SIGTERM')
  await until(() => stage.running.output().includes('"shutting down"'))

  expect(await readiness(stage)).toEqual(unready)
  expect((await fetch(`${stage.operation}/healthz`)).status).toBe(200)
  expect((await stage.exchange(token, { Connection: 'close' })).status).toBe(200)
  await Bun.sleep(1_000)
  expect(await readiness(stage)).toEqual(unready)
  expect(await stage.running.exited).toBe(0)
  await expect(fetch(`${stage.operation}/readyz`)).rejects.toThrow('Unable to connect')
})

describe('with Redis', () => {
  test('is degraded while Redis is gone, hands out tokens all the same, and recovers', async () => {
    const redis = await startRedisServer()
    await using stage = await start({ LIVEKIT_REDIS_URL: redis.url })
    expect(await readiness(stage)).toEqual(READY)
    await redis.kill()
    expect(await becomes(stage, 'degraded')).toEqual(STORE_AWAY)
    const token = stage.homeserver.issueOpenIdToken('@alice:example.com')
    expect((await stage.exchange(token)).status).toBe(200)
    expect(await (await fetch(`${stage.operation}/metrics`)).text()).toContain(
      '\njwt_service_store_up 0\n',
    )
    await redis.start()
    expect(await becomes(stage, 'ready')).toEqual(READY)
    await redis.close()
  })

  test('is degraded when Redis has never been there', async () => {
    const port = await findClosedPort()
    await using stage = await start({ LIVEKIT_REDIS_URL: `redis://127.0.0.1:${port}` })
    expect(await readiness(stage)).toEqual(STORE_AWAY)
  })

  test.each([
    ['while members are checked', '60', ', and so are the tokens that the homeserver asks for'],
    ['while they are not', '0', ''],
  ])('%s, says what an application service refuses without Redis', async (_, interval, more) => {
    const port = await findClosedPort()
    await using stage = await start({
      LIVEKIT_REDIS_URL: `redis://127.0.0.1:${port}`,
      LIVEKIT_AS_TOKEN: AS_TOKEN,
      LIVEKIT_HS_TOKEN: HS_TOKEN,
      LIVEKIT_HS_SERVER_NAME: 'example.com',
      LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: interval,
    })
    const reasons = STORE_AWAY.reasons.map((reason) => reason + more)
    expect(await readiness(stage)).toEqual({ ...STORE_AWAY, reasons })
  })

  test('answers soon although Redis does not', async () => {
    const redis = await startRedisServer()
    await using stage = await start({ LIVEKIT_REDIS_URL: redis.url })
    await redis.run('CLIENT', 'PAUSE', '5000', 'ALL')
    const askedAt = performance.now()
    expect(await readiness(stage)).toEqual(STORE_AWAY)
    expect(performance.now() - askedAt).toBeLessThan(950)
    await redis.close()
  })
})

test('is degraded while the SFU does not accept the key', async () => {
  await using stage = await start()
  const exchange = () => stage.exchange(stage.homeserver.issueOpenIdToken('@alice:example.com'))
  stage.sfu.respond('CreateRoom', twirpError(401, 'unauthenticated', 'invalid API key'))
  expect((await exchange()).status).toBe(500)
  expect(await readiness(stage)).toEqual({
    code: 200,
    status: 'degraded',
    reasons: ['the SFU cannot be used: it does not accept the key or secret'],
  })
  stage.sfu.respond('CreateRoom', twirpError(503, 'unavailable', 'no node'))
  await exchange()
  expect(await readiness(stage)).toEqual(READY)
})

test('a port in use ends the start with code 1, and leaves nothing running', async () => {
  await using occupier = await startSilentListener()
  const port = await findClosedPort()
  const ending = await run([], {
    ...required,
    LIVEKIT_JWT_BIND: `127.0.0.1:${port}`,
    LIVEKIT_METRICS_BIND: `127.0.0.1:${occupier.port}`,
  })
  expect({ ...ending, stdout: logLines(ending.stdout).slice(1) }).toEqual({
    code: 1,
    stdout: [
      {
        time: expect.any(String),
        level: 'error',
        message: 'cannot listen',
        address: `127.0.0.1:${occupier.port}`,
        cause: 'the port is in use by another process',
        code: 'listen.port-in-use',
        remedy: 'End it, or choose another port: LIVEKIT_METRICS_BIND.',
      },
    ],
    stderr: '',
  })
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('Unable to connect')
})

test('the public address spelt in another way ends the start with code 1', async () => {
  const port = await findClosedPort()
  const env = { LIVEKIT_JWT_BIND: `127.0.0.1:${port}`, LIVEKIT_METRICS_BIND: `localhost:${port}` }
  const { code, stdout } = await run([], { ...required, ...env })
  expect(code).toBe(1)
  expect(logLines(stdout).at(-1)).toMatchObject({
    message: 'cannot listen',
    code: 'listen.port-in-use',
    remedy: 'End it, or choose another port: LIVEKIT_METRICS_BIND.',
  })
})

test('the public address is refused', async () => {
  const env = { LIVEKIT_JWT_BIND: ':8080', LIVEKIT_METRICS_BIND: '127.0.0.1:8080' }
  const { code, stdout, stderr } = await run([], { ...required, ...env })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(logLines(stderr)).toMatchObject([
    {
      setting: 'LIVEKIT_METRICS_BIND',
      cause: 'is the address that LIVEKIT_JWT_BIND has too; expected another port, such as ":9090"',
    },
  ])
})
