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
  expect(lines[0]?.settings).toEqual({
    LIVEKIT_URL: 'ws://127.0.0.1:1',
    LIVEKIT_KEY: '(set)',
    LIVEKIT_SECRET: '(set)',
    LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
    LIVEKIT_JWT_BIND: `127.0.0.1:${running.port}`,
    LIVEKIT_RATE_LIMIT: 'off',
  })
  expect(running.output()).not.toContain(required.LIVEKIT_KEY)
  expect(running.output()).not.toContain(required.LIVEKIT_SECRET.slice(0, 16))
})

test('warnings are logged first', async () => {
  const env = { ...required, LIVEKIT_FULL_ACCESS_HOMESERVERS: '', LIVEKIT_LOG_LEVEL: 'warning' }
  await using running = await startService({ command: service, env })
  await until(() => logLines(running.output()).length === 3)
  expect(logLines(running.output())).toEqual([
    {
      time,
      level: 'warn',
      message: 'configuration warning',
      setting: 'LIVEKIT_FULL_ACCESS_HOMESERVERS',
      cause: 'is not set: users of every homeserver may start calls',
      code: 'configuration.doubtful',
      remedy: '"jwt-service --help LIVEKIT_FULL_ACCESS_HOMESERVERS" explains it.',
    },
    {
      time,
      level: 'warn',
      message: 'configuration warning',
      setting: 'LIVEKIT_FEDERATION_DENY_NETWORKS',
      cause: expect.stringMatching(/^leaves out private/),
      code: 'configuration.doubtful',
      remedy: '"jwt-service --help LIVEKIT_FEDERATION_DENY_NETWORKS" explains it.',
    },
    {
      time,
      level: 'warn',
      message: 'the SFU cannot be used',
      cause: 'connection refused, at http://127.0.0.1:1/twirp/livekit.RoomService/ListRooms',
      code: 'sfu.refused',
      remedy: expect.stringContaining('LIVEKIT_INTERNAL_URL'),
    },
  ])
})

test('the log is human-readable if configured, with a line for each setting', async () => {
  const env = { ...required, LIVEKIT_LOG_FORMAT: 'pretty', LIVEKIT_SECERT: 'hunter2' }
  await using running = await startService({ command: service, env })
  await until(() => running.output().includes('listening'))
  const lines = running.output().split('\n')
  const start = /^\d{4}-\d\d-\d\dT[\d:.]{12}Z (?=info |warn )/
  expect(lines.slice(0, 8).map((line) => line.replace(start, ''))).toEqual([
    'warn  LIVEKIT_SECERT: is not a known setting; did you mean LIVEKIT_SECRET?',
    'info  configuration LIVEKIT_URL=ws://127.0.0.1:1',
    'info  configuration LIVEKIT_KEY=(set)',
    'info  configuration LIVEKIT_SECRET=(set)',
    'info  configuration LIVEKIT_FULL_ACCESS_HOMESERVERS=example.com',
    `info  configuration LIVEKIT_JWT_BIND=127.0.0.1:${running.port}`,
    'info  configuration LIVEKIT_RATE_LIMIT=off',
    'info  configuration LIVEKIT_LOG_FORMAT=pretty',
  ])
  expect(lines[8]).toMatch(/Z info {2}listening host=127\.0\.0\.1 port=\d+ version=/)
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
  await using running = await startService({ command: service, env: required, host: '[::1]' })
  expect(await answers(`[::1]:${running.port}`)).toBe(true)
  expect(await answers(`127.0.0.1:${running.port}`)).toBe(false)
  expect(await running.stop()).toBe(0)
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
    message: 'cannot listen',
    address: bind,
    cause: 'the port is in use by another process',
    code: 'listen.port-in-use',
    remedy: 'End it, or choose another port: LIVEKIT_JWT_BIND.',
  })
})

test('an address that the machine does not have ends the start with code 1', async () => {
  const env = { ...required, LIVEKIT_JWT_BIND: '[2001:db8::1]:8080' }
  const { code, stdout } = await run([], env)
  expect(code).toBe(1)
  expect(logLines(stdout).at(-1)).toEqual({
    time,
    level: 'error',
    message: 'cannot listen',
    address: '[2001:db8::1]:8080',
    cause: 'this machine has no such address',
    code: 'listen.no-such-address',
    remedy: 'Use an address of this machine, or a port alone for all of them: LIVEKIT_JWT_BIND.',
  })
})
