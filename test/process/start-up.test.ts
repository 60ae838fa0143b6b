import { expect, test } from 'bun:test'
import { version } from '../../package.json'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { startService } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import { logLines, required, run, service } from './commands.ts'

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

test('"serve" is the default command', async () => {
  await using running = await startService({ command: service, env: required })
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200)
})

test('the start is logged in JSON lines, with the configuration and no secret', async () => {
  await using running = await startService({ command: [...service, 'serve'], env: required })
  await until(() => running.output().includes('listening'))
  const lines = logLines(running.output())
  expect(lines.slice(0, 2)).toEqual([
    { time, level: 'info', message: 'configuration', version, settings: expect.any(Object) },
    { time, level: 'info', message: 'listening', host: '127.0.0.1', port: running.port, version },
  ])
  expect(lines[0]?.settings).toMatchObject({
    LIVEKIT_URL: 'ws://127.0.0.1:1',
    LIVEKIT_KEY: 'set',
    LIVEKIT_SECRET: 'set',
    LIVEKIT_JWT_BIND: `127.0.0.1:${running.port}`,
    LIVEKIT_TOKEN_TTL_SECONDS: 'default: 3600',
  })
  expect(running.output()).not.toContain('devkey')
  expect(running.output()).not.toContain('a-secret-that-is')
})

test('warnings are logged first', async () => {
  const env = { ...required, LIVEKIT_FULL_ACCESS_HOMESERVERS: '', LIVEKIT_LOG_LEVEL: 'warning' }
  await using running = await startService({ command: service, env })
  expect(logLines(running.output())).toEqual([
    {
      time,
      level: 'warn',
      message:
        'LIVEKIT_FULL_ACCESS_HOMESERVERS: is not set: users of every homeserver may start calls',
    },
    {
      time,
      level: 'warn',
      message: expect.stringMatching(/^LIVEKIT_FEDERATION_DENY_NETWORKS: leaves out private/),
    },
  ])
})

test('the log is human-readable if configured', async () => {
  const env = { ...required, LIVEKIT_LOG_FORMAT: 'pretty' }
  await using running = await startService({ command: service, env })
  await until(() => running.output().includes('listening'))
  const lines = running.output().split('\n')
  expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z \S*info\s*\S* listening .*host=\S*127/)
})

async function answers(authority: string): Promise<boolean> {
  try {
    return (await fetch(`http://${authority}/healthz`)).status === 200
  } catch {
    return false
  }
}

test.each([
  [':port', true, true],
  ['[::]:port', true, true],
  ['0.0.0.0:port', true, false],
  ['127.0.0.1:port', true, false],
  ['localhost:port', true, undefined],
])('%s answers on IPv4 %p and on IPv6 %p', async (form, onIPv4, onIPv6) => {
  const port = await findClosedPort()
  const bind = form.replace('port', `${port}`)
  const env = { ...required, LIVEKIT_JWT_BIND: bind }
  await using running = await startService({ command: service, env, port })
  expect(await answers(`127.0.0.1:${running.port}`)).toBe(onIPv4)
  if (onIPv6 !== undefined) expect(await answers(`[::1]:${running.port}`)).toBe(onIPv6)
})

test('[::1]:port answers on IPv6 only', async () => {
  const port = await findClosedPort('::1')
  const env = { ...required, LIVEKIT_JWT_BIND: `[::1]:${port}` }
  const child = Bun.spawn([...service], { env, stdio: ['ignore', 'ignore', 'ignore'] })
  await until(() => answers(`[::1]:${port}`))
  expect(await answers(`127.0.0.1:${port}`)).toBe(false)
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
})

test('LIVEKIT_JWT_PORT answers on IPv4 and on IPv6', async () => {
  const port = await findClosedPort()
  const env = { ...required, LIVEKIT_JWT_BIND: '', LIVEKIT_JWT_PORT: `${port}` }
  await using running = await startService({ command: service, env, port })
  expect(await answers(`127.0.0.1:${running.port}`)).toBe(true)
  expect(await answers(`[::1]:${running.port}`)).toBe(true)
})

test.each(['127.0.0.1', ''])('a port in use at %p ends the start with code 1', async (host) => {
  await using occupier = await startSilentListener()
  const bind = `${host}:${occupier.port}`
  const { code, stdout, stderr } = await run([], { ...required, LIVEKIT_JWT_BIND: bind })
  expect(code).toBe(1)
  expect(stderr).toBe('')
  expect(logLines(stdout).at(-1)).toEqual({
    time,
    level: 'error',
    message: 'cannot listen: the port is in use by another process',
    address: bind,
  })
})

test('an address that the machine does not have ends the start with code 1', async () => {
  const env = { ...required, LIVEKIT_JWT_BIND: '[2001:db8::1]:8080' }
  const { code, stdout } = await run([], env)
  expect(code).toBe(1)
  expect(logLines(stdout).at(-1)).toEqual({
    time,
    level: 'error',
    message: 'cannot listen: this machine has no such address',
    address: '[2001:db8::1]:8080',
  })
})
