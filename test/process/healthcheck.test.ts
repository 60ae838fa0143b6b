import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { healthcheck } from '../../src/commands/healthcheck.ts'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { reply } from '../support/misbehaviour.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { startWireServer } from '../support/wire-server.ts'
import { required, run, service } from './commands.ts'

let everywhere: ServiceProcess

/** The command in this process. */
async function check(env: Readonly<Record<string, string>>) {
  let said = ''
  const code = await healthcheck(env, (line) => {
    said += line
  })
  return { code, said }
}

beforeAll(async () => {
  const port = await findClosedPort()
  const env = { ...required, LIVEKIT_JWT_BIND: `:${port}` }
  everywhere = await startService({ command: service, env, port })
})

afterAll(async () => {
  await everywhere.stop()
})

const HEALTHY = { code: 0, said: 'healthy\n' }

describe('the health check', () => {
  test('ends as a process with the code and the line', async () => {
    const up = { LIVEKIT_JWT_BIND: `:${everywhere.port}` }
    expect(await run(['healthcheck'], up)).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' })
    const port = await findClosedPort()
    expect(await run(['healthcheck'], { LIVEKIT_JWT_BIND: `127.0.0.1:${port}` })).toEqual({
      code: 1,
      stdout: `unhealthy: http://127.0.0.1:${port}/healthz: nothing listens there (ECONNREFUSED)\n`,
      stderr: '',
    })
  })

  test.each([
    ':port',
    '127.0.0.1:port',
    '0.0.0.0:port',
    '[::1]:port',
    '[::]:port',
    'localhost:port',
  ])('finds a healthy service at %s', async (form) => {
    const env = { LIVEKIT_JWT_BIND: form.replace('port', `${everywhere.port}`) }
    expect(await check(env)).toEqual(HEALTHY)
  })

  test('understands LIVEKIT_JWT_PORT', async () => {
    expect(await check({ LIVEKIT_JWT_PORT: `${everywhere.port}` })).toEqual(HEALTHY)
  })

  test('does not use a proxy', async () => {
    const proxy = `http://127.0.0.1:${await findClosedPort()}`
    const env = {
      LIVEKIT_JWT_BIND: `:${everywhere.port}`,
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      ALL_PROXY: proxy,
    }
    expect((await run(['healthcheck'], env)).code).toBe(0)
  })

  test('finds a service that listens on IPv6 only', async () => {
    const server = await startWireServer({ hostname: '::1' }, () => reply(200))
    expect(await check({ LIVEKIT_JWT_BIND: `:${server.port}` })).toEqual(HEALTHY)
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /healthz'])
    await server.close()
  })

  test.each([
    ['8080', 'has no ":" before the port'],
    [':http', 'has a port that is not a number'],
    ['[::1]', 'has no port'],
    ['user:hunter2@host:8080', 'has an IPv6 address without brackets'],
  ])('says what is wrong with LIVEKIT_JWT_BIND=%s', async (bind, wrong) => {
    expect(await check({ LIVEKIT_JWT_BIND: bind })).toEqual({
      code: 1,
      said:
        `unhealthy: LIVEKIT_JWT_BIND: ${wrong}; ` +
        'expected ":port", "host:port" or "[v6]:port", such as ":8080"\n',
    })
  })

  test('names in one line every address at which nothing listens', async () => {
    const port = await findClosedPort()
    expect(await check({ LIVEKIT_JWT_BIND: `:${port}` })).toEqual({
      code: 1,
      said:
        `unhealthy: http://127.0.0.1:${port}/healthz: nothing listens there (ECONNREFUSED); ` +
        `http://[::1]:${port}/healthz: nothing listens there (ECONNREFUSED)\n`,
    })
  })

  test('reports a silent service in one line', async () => {
    await using silent = await startSilentListener()
    const startedAt = performance.now()
    expect(await check({ LIVEKIT_JWT_BIND: `127.0.0.1:${silent.port}` })).toEqual({
      code: 1,
      said: `unhealthy: http://127.0.0.1:${silent.port}/healthz: no answer in time\n`,
    })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test.each([reply(503), { kind: 'redirect', location: 'http://127.0.0.1:1/' } as const])(
    'does not take %p for healthy',
    async (answer) => {
      const server = await startWireServer({}, () => answer)
      const { code, said } = await check({ LIVEKIT_JWT_BIND: `127.0.0.1:${server.port}` })
      expect(code).toBe(1)
      expect(said).toMatch(/^unhealthy: http:\/\/127\.0\.0\.1:\d+\/healthz: status (503|302)\n$/)
      await server.close()
    },
  )
})
