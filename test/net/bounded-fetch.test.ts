import { afterAll, beforeAll, expect, test } from 'bun:test'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { withDeadline } from '../../src/lib/deadline.ts'
import { boundedFetch } from '../../src/net/bounded-fetch.ts'
import { RequestError } from '../../src/net/request-error.ts'
import { type Authority, createAuthority } from '../support/certificates.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'

let authority: Authority
let homeserver: Homeserver

beforeAll(async () => {
  authority = await createAuthority()
  homeserver = await startHomeserver()
})
afterAll(async () => {
  await homeserver.close()
  await authority.dispose()
})

const get = (url: string, ms = 1000) => {
  return withDeadline(ms, undefined, (signal) => boundedFetch({ method: 'GET', url, signal }))
}

/** Sends `head`, then `more` again and again until the client hangs up. */
async function startPouring(head: string, more: string): Promise<{ url: string; server: Server }> {
  function pour(socket: Socket): void {
    while (!socket.destroyed && socket.write(more)) {}
  }
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('drain', () => pour(socket))
    socket.once('data', () => {
      socket.write(head)
      pour(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server }
}

for (const [what, head, more, message] of [
  [
    'a header without end',
    'HTTP/1.1 200 OK\r\nx: ',
    'y'.repeat(4000),
    'headers of the answer are too large',
  ],
  [
    'headers without end',
    'HTTP/1.1 200 OK\r\n',
    `x: ${'y'.repeat(1000)}\r\n`,
    'answer is malformed',
  ],
  ['what is not HTTP', '', 'z'.repeat(4000), 'answer is malformed'],
] as const) {
  test(`refuses ${what}, even if it arrives fast`, async () => {
    const { url, server } = await startPouring(head, more)
    await expect(get(url)).rejects.toThrow(
      new RequestError('malformed-answer', message, 'this address'),
    )
    server.close()
  })
}

test('reads an answer of 64 KiB, but not one byte more', async () => {
  homeserver.respond('/', reply(200, 'x'.repeat(65_536)), reply(200, 'x'.repeat(65_537)))
  expect((await get(homeserver.url)).body).toBe('x'.repeat(65_536))
  await expect(get(homeserver.url)).rejects.toThrow('answer is larger than 64 KiB')
})

test('hangs up on an answer that is too large', async () => {
  const { url, server } = await startPouring('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(4000))
  const closed = new Promise((resolve) => {
    server.on('connection', (socket) => socket.once('close', resolve))
  })
  await expect(get(url)).rejects.toThrow('answer is larger than 64 KiB')
  await closed
  server.close()
})

test('hangs up on megabytes in chunks, whatever Content-Length says', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n'
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  const { url, server } = await startPouring(head, chunk)
  const sent = new Promise<number>((resolve) => {
    server.on('connection', (socket) => {
      socket.once('close', () => resolve(socket.bytesWritten))
    })
  })
  await expect(get(url)).rejects.toThrow(
    new RequestError('answer-too-large', 'answer is larger than 64 KiB', 'final'),
  )
  // Data in system buffers counts as written.
  expect(await sent).toBeLessThan(16 * 1024 * 1024)
  server.close()
})

test('hangs up at the timeout', async () => {
  homeserver.respond('/', { kind: 'slow-body', everyMs: 10, body: 'x'.repeat(1000) })
  await expect(get(homeserver.url, 100)).rejects.toThrow('timeout after 0.1 s')
})

test('decodes characters that are split between packets', async () => {
  homeserver.respond('/', { kind: 'slow-body', everyMs: 1, body: 'é€😀' })
  expect((await get(homeserver.url)).body).toBe('é€😀')
})

test('returns a redirect without following it', async () => {
  homeserver.respond('/', { kind: 'redirect', location: '/elsewhere', status: 308 })
  const { status, headers } = await get(homeserver.url)
  expect([status, headers.get('location')]).toEqual([308, '/elsewhere'])
})

test('does not mention the URL in errors', async () => {
  const certificate = await authority.issue({ dns: ['hs.test'] })
  const strange = await startHomeserver({ certificate })
  homeserver.restore()
  homeserver.respond('*', { kind: 'close' })
  for (const base of [
    strange.url,
    homeserver.url,
    'http://127.0.0.1:1',
    'http://nowhere.invalid',
  ]) {
    const error = await get(`${base}/?access_token=secret`).catch((reason) => reason)
    expect(error).toBeInstanceOf(RequestError)
    expect(error.message).not.toContain('secret')
    expect(error.message).not.toContain('http')
  }
  await strange.close()
})
