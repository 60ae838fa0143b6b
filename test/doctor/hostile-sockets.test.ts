import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createClocks } from '../../src/commands/doctor/clock-skew.ts'
import { checkRedis } from '../../src/commands/doctor/redis-checks.ts'
import { createReport } from '../../src/commands/doctor/report.ts'
import { signallingStatus } from '../../src/commands/doctor/signalling.ts'
import { runScript } from '../support/script-process.ts'

/** Listens on a port of the system's choice, and does the same with every connection. */
async function listenWith(treat: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    treat(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function repeat(everyMs: number, text: string) {
  return (socket: Socket) => {
    const timer = setInterval(() => socket.write(text), everyMs)
    socket.once('close', () => clearInterval(timer))
  }
}

test.each([
  ['drips without end', repeat(20, 'H')],
  ['drips a status line too slowly', repeat(100, ' ')],
  ['pours without a status', repeat(1, 'x'.repeat(65_536))],
  ['says nothing', () => {}],
  ['closes at once', (socket: Socket) => void socket.destroy()],
  ['ends at once', (socket: Socket) => void socket.end()],
])('gets no status from a socket that %s, and waits no longer than it may', async (_, treat) => {
  using listener = await listenWith(treat)
  const startedAt = performance.now()
  expect(await signallingStatus(`http://127.0.0.1:${listener.port}`, 'a.b.c', 500)).toBeUndefined()
  expect(performance.now() - startedAt).toBeLessThan(1_500)
})

test('reads a status that comes byte by byte', async () => {
  const line = 'HTTP/1.1 404 Not Found\r\n\r\n'
  using listener = await listenWith((socket) => {
    let sent = 0
    const timer = setInterval(() => socket.write(line[sent++] ?? ''), 5)
    socket.once('close', () => clearInterval(timer))
  })
  expect(await signallingStatus(`http://127.0.0.1:${listener.port}`, 'a.b.c', 2_000)).toBe(404)
})

test('hangs up on an SFU that lets the participant in and pours', async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>()
  using listener = await listenWith((socket) => {
    socket.once('close', () => resolve())
    socket.once('data', () => {
      const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n'
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n`)
      repeat(1, 'x'.repeat(65_536))(socket)
    })
  })
  expect(await signallingStatus(`http://127.0.0.1:${listener.port}`, 'a.b.c', 2_000)).toBe(101)
  await hungUp
})

test('asks for the signalling socket through the proxy that the API is called through', async () => {
  const lines: string[] = []
  using proxy = await listenWith((socket) => {
    socket.once('data', (bytes: Buffer) => {
      lines.push(bytes.toString().split('\r\n', 1)[0] ?? '')
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')
    })
  })
  const ask = `
    import { signallingStatus } from '#src/commands/doctor/signalling.ts'
    console.log(await signallingStatus('http://sfu.invalid/prefix/', 'a.b.c', 2_000))
  `
  const child = runScript(ask, { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` })
  expect(await child.exited).toBe(0)
  expect(lines).toEqual([
    'GET http://sfu.invalid/prefix/rtc?access_token=a.b.c&protocol=15&auto_subscribe=1 HTTP/1.1',
  ])
})

async function redisFindings(treat: (socket: Socket) => void) {
  using listener = await listenWith(treat)
  const report = createReport({ onFinding: () => {}, onProgress: () => {} })
  const url = `redis://:redis-secret@127.0.0.1:${listener.port}`
  await checkRedis({ url, report, clocks: createClocks(), now: Date.now, timeoutMs: 300 })
  expect(JSON.stringify(report.findings)).not.toContain('redis-secret')
  return report.findings
}

test.each<[string, (socket: Socket) => void, string]>([
  ['closes every connection', (socket) => void socket.destroy(), 'connection closed by the server'],
  ['ends every connection', (socket) => void socket.end(), 'connection closed by the server'],
  [
    'speaks HTTP',
    (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'what answers is not Redis',
  ],
  ['pours', repeat(1, 'x'.repeat(65_536)), 'what answers is not Redis'],
])('finds that what is at the address of Redis %s, and ends', async (_, treat, found) => {
  expect(await redisFindings(treat)).toMatchObject([
    {
      code: 'store.redis-unreachable',
      found: expect.stringContaining(`${found}, at 127.0.0.1:`),
    },
  ])
})

/** What a Redis answers that knows no time. */
function timelessAnswer(command: string): string {
  const info = 'redis_version:7.0.0\r\naof_enabled:1\r\n'
  if (command.includes('HELLO')) return '%1\r\n+server\r\n+redis\r\n'
  if (command.includes('INFO')) return `$${info.length}\r\n${info}\r\n`
  return command.includes('TIME') ? '*2\r\n+soon\r\n+later\r\n' : '+OK\r\n'
}

test('compares no clocks with a Redis that gives no time', async () => {
  const findings = await redisFindings((socket) => {
    socket.on('data', (bytes: Buffer) => socket.write(timelessAnswer(bytes.toString())))
  })
  expect(findings).toMatchObject([{ step: 'state', level: 'ok' }])
})
