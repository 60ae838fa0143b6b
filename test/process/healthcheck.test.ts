import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { reply } from '../support/misbehaviour.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { startWireServer } from '../support/wire-server.ts'
import { required, run, service } from './commands.ts'

let everywhere: ServiceProcess

beforeAll(async () => {
  const port = await findClosedPort()
  const env = { ...required, LIVEKIT_JWT_BIND: `:${port}` }
  everywhere = await startService({ command: service, env, port })
})

afterAll(async () => {
  await everywhere.stop()
})

describe('the health check', () => {
  test.each([
    ':port',
    '127.0.0.1:port',
    '0.0.0.0:port',
    '[::1]:port',
    '[::]:port',
    'localhost:port',
  ])('finds a healthy service at %s', async (form) => {
    const env = { LIVEKIT_JWT_BIND: form.replace('port', `${everywhere.port}`) }
    expect(await run(['healthcheck'], env)).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' })
  })

  test('understands LIVEKIT_JWT_PORT', async () => {
    const env = { LIVEKIT_JWT_PORT: `${everywhere.port}` }
    expect(await run(['healthcheck'], env)).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' })
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
    const env = { LIVEKIT_JWT_BIND: `:${server.port}` }
    expect(await run(['healthcheck'], env)).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' })
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /healthz'])
    await server.close()
  })

  test.each([
    ['8080', 'has no ":" before the port'],
    [':http', 'has a port that is not a number'],
    ['[::1]', 'has no port'],
    ['user:hunter2@host:8080', 'has an IPv6 address without brackets'],
  ])('says what is wrong with LIVEKIT_JWT_BIND=%s', async (bind, wrong) => {
    expect(await run(['healthcheck'], { LIVEKIT_JWT_BIND: bind })).toEqual({
      code: 1,
      stdout:
        `unhealthy: LIVEKIT_JWT_BIND: ${wrong}; ` +
        'expected ":port", "host:port" or "[v6]:port", such as ":8080"\n',
      stderr: '',
    })
  })

  test('reports a closed port in one line', async () => {
    const port = await findClosedPort()
    const down = { code: 1, stderr: '' }
    expect(await run(['healthcheck'], { LIVEKIT_JWT_BIND: `127.0.0.1:${port}` })).toEqual({
      ...down,
      stdout: `unhealthy: http://127.0.0.1:${port}/healthz: nothing listens there (ECONNREFUSED)\n`,
    })
    expect(await run(['healthcheck'], { LIVEKIT_JWT_BIND: `:${port}` })).toEqual({
      ...down,
      stdout:
        `unhealthy: http://127.0.0.1:${port}/healthz: nothing listens there (ECONNREFUSED); ` +
        `http://[::1]:${port}/healthz: nothing listens there (ECONNREFUSED)\n`,
    })
  })

  test('reports a silent service in one line', async () => {
    await using silent = await startSilentListener()
    const startedAt = performance.now()
    expect(await run(['healthcheck'], { LIVEKIT_JWT_BIND: `127.0.0.1:${silent.port}` })).toEqual({
      code: 1,
      stdout: `unhealthy: http://127.0.0.1:${silent.port}/healthz: no answer in time\n`,
      stderr: '',
    })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test.each([reply(503), { kind: 'redirect', location: 'http://127.0.0.1:1/' } as const])(
    'does not take %p for healthy',
    async (answer) => {
      const server = await startWireServer({}, () => answer)
      const env = { LIVEKIT_JWT_BIND: `127.0.0.1:${server.port}` }
      const { code, stdout } = await run(['healthcheck'], env)
      expect(code).toBe(1)
      expect(stdout).toMatch(/^unhealthy: http:\/\/127\.0\.0\.1:\d+\/healthz: status (503|302)\n$/)
      await server.close()
    },
  )
})
