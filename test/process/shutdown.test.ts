import { describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { ServiceProcess } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import { logLines } from './commands.ts'
import { bodyWith, type Stage, startStage } from './stage.ts'

function messages(running: ServiceProcess): unknown[] {
  return logLines(running.output()).map(({ message }) => message)
}

/** The messages of all lines but those of requests, which may come before or after a signal. */
function messagesOfService(running: ServiceProcess): unknown[] {
  return messages(running).filter((message) => message !== 'request')
}

/** Whether nobody listens at a URL any more. */
async function refusesConnections(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { headers: { Connection: 'close' } })
    await answer.body?.cancel()
    return false
  } catch (error) {
    expect(String(error)).toContain('Unable to connect')
    return true
  }
}

/** Sends a signal, and waits until the service has handled it. */
async function signalled({ running }: Stage, signal: NodeJS.Signals): Promise<void> {
  running.signal(signal)
  await until(() => running.output().includes('"shutting down"'))
}

/** Starts an exchange that the homeserver holds back. */
async function startExchange(stage: Stage) {
  const release = stage.hold()
  const held = stage.exchange('held')
  held.catch(() => {})
  await until(() => stage.homeserver.requests.length > 0)
  return { release, held }
}

/** Resolves when the service has read everything that was sent before. */
async function roundTrip(url: string): Promise<void> {
  await (await fetch(`${url}/healthz`)).body?.cancel()
}

/** A connection that one request has been answered on, and that is still open. */
async function keptConnection(port: number) {
  const socket = connect({ host: '127.0.0.1', port })
  let received = ''
  let closed = false
  socket.on('data', (chunk) => {
    received += chunk
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await until(() => received.includes('\r\n\r\n'))
  received = ''
  return { socket, received: () => received, closed: () => closed }
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('finishes requests in flight, accepts no new one, and ends with code 0', async () => {
    await using stage = await startStage()
    const { running } = stage
    const { release, held } = await startExchange(stage)
    await signalled(stage, signal)

    await until(() => refusesConnections(`${running.url}/healthz`))
    expect(messages(running)).not.toContain('stopped')
    release()
    const answer = await held
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ url: stage.sfu.wsUrl, jwt: expect.any(String) })
    expect(await running.exited).toBe(0)
    const lines = logLines(running.output())
    const exchanges = lines.filter(({ route }) => route !== '/healthz')
    expect(exchanges.slice(-3)).toEqual([
      expect.objectContaining({ message: 'shutting down', signal, grace_ms: 10_000 }),
      expect.objectContaining({ message: 'request', route: '/get_token', status: 200 }),
      expect.objectContaining({ message: 'stopped' }),
    ])
  })

  test('ends an idle service at once, despite keep-alive connections', async () => {
    await using stage = await startStage()
    const kept = await keptConnection(stage.running.port)
    stage.running.signal(signal)
    expect(await stage.running.exited).toBe(0)
    await until(kept.closed)
    expect(messagesOfService(stage.running).slice(-2)).toEqual(['shutting down', 'stopped'])
  })
})

test('answers a late request on a keep-alive connection with 503', async () => {
  await using stage = await startStage()
  const { release, held } = await startExchange(stage)
  const kept = await keptConnection(stage.running.port)
  // The connection would be closed if it were idle.
  kept.socket.write('POST /get_token HTTP/1.1\r\nHost: localhost\r\n')
  await roundTrip(stage.running.url)
  await signalled(stage, 'SIGTERM')

  const body = bodyWith('late')
  kept.socket.write(`Content-Length: ${body.length}\r\n\r\n${body}`)
  await until(() => kept.received().includes('}') || kept.closed())
  expect(kept.received()).toStartWith('HTTP/1.1 503 ')
  expect(kept.received()).toContain('\r\nAccess-Control-Allow-Origin: *\r\n')
  expect(kept.received()).toEndWith(
    '\r\n\r\n{"errcode":"M_UNKNOWN","error":"The service is shutting down."}',
  )
  release()
  expect((await held).status).toBe(200)
  expect(await stage.running.exited).toBe(0)
})

test('requests are served for the drain delay, new connections included, before the service stops', async () => {
  await using stage = await startStage({ LIVEKIT_SHUTDOWN_DELAY_SECONDS: '2' })
  const token = stage.homeserver.issueOpenIdToken('@alice:example.com')
  const signalledAt = performance.now()
  await signalled(stage, 'SIGTERM')
  const lines = logLines(stage.running.output())
  expect(lines.find(({ message }) => message === 'shutting down')).toMatchObject({
    delay_ms: 2_000,
  })

  const headers = { Connection: 'close' }
  expect((await fetch(`${stage.running.url}/healthz`, { headers })).status).toBe(200)
  expect((await stage.exchange(token, headers)).status).toBe(200)
  expect(await stage.running.exited).toBe(0)
  const tookMs = performance.now() - signalledAt
  expect(tookMs).toBeGreaterThan(1_900)
  expect(tookMs).toBeLessThan(6_000)
  await expect(fetch(`${stage.running.url}/healthz`)).rejects.toThrow('Unable to connect')
  expect(messages(stage.running).at(-1)).toBe('stopped')
})

test('a second signal ends the service at once during the drain delay too', async () => {
  await using stage = await startStage({ LIVEKIT_SHUTDOWN_DELAY_SECONDS: '600' })
  await signalled(stage, 'SIGTERM')
  stage.running.signal('SIGTERM')
  expect(await stage.running.exited).toBe(1)
})

test('requests that outlast the grace period are cut off, and the log says so', async () => {
  await using stage = await startStage({ LIVEKIT_SHUTDOWN_GRACE_SECONDS: '1' })
  const { held } = await startExchange(stage)
  const signalledAt = performance.now()
  await signalled(stage, 'SIGTERM')

  expect(await stage.running.exited).toBe(0)
  const tookMs = performance.now() - signalledAt
  expect(tookMs).toBeGreaterThan(900)
  expect(tookMs).toBeLessThan(5_000)
  await expect(held).rejects.toThrow()
  expect(logLines(stage.running.output()).slice(-2)).toEqual([
    { time: expect.any(String), level: 'warn', message: 'requests were cut off', pending: 1 },
    { time: expect.any(String), level: 'info', message: 'stopped' },
  ])
})

test.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
] as const)('%s and then %s end the service at once', async (first, second) => {
  await using stage = await startStage({ LIVEKIT_SHUTDOWN_GRACE_SECONDS: '600' })
  const { held } = await startExchange(stage)
  await signalled(stage, first)

  stage.running.signal(second)
  expect(await stage.running.exited).toBe(1)
  await expect(held).rejects.toThrow()
  expect(messagesOfService(stage.running).at(-1)).toBe('shutting down')
})

test('a second signal loses no line of a request that was answered before', async () => {
  await using stage = await startStage({ LIVEKIT_SHUTDOWN_DELAY_SECONDS: '600' })
  const { running } = stage
  await signalled(stage, 'SIGTERM')
  for (let sent = 0; sent < 30; sent += 1) {
    const answer = await fetch(`${running.url}/get_token`, { method: 'POST', body: '{' })
    expect(answer.status).toBe(400)
  }
  running.signal('SIGTERM')
  expect(await running.exited).toBe(1)
  // The line of the very last one comes in a turn of its own, after the answer.
  const lines = messages(running).filter((message) => message === 'request')
  expect(lines.length).toBeGreaterThanOrEqual(29)
})
