import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import * as tls from 'node:tls'
import fc from 'fast-check'
import { withDeadline } from '../../src/lib/deadline.ts'
import type { Call } from '../../src/net/bounded-fetch.ts'
import {
  createHttpsClient,
  type HttpsClientOptions,
  normalisedPath,
} from '../../src/net/https-client.ts'
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts'
import { until } from '../support/until.ts'

let authority: Authority
let certificate: Certificate
const servers: tls.Server[] = []
const sockets = new Set<Socket>()

beforeAll(async () => {
  authority = await createAuthority()
  certificate = await authority.issue({ dns: ['hs.test'], ip: ['127.0.0.1', '::1'] })
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})
afterAll(() => authority.dispose())

type Serve = (socket: tls.TLSSocket, connection: number) => void

/** Starts a server whose handler gets every request, with its connection. */
async function startServer(serve: Serve, options: tls.TlsOptions = {}, hostname = '127.0.0.1') {
  const requests: string[] = []
  let connections = 0
  const server = tls.createServer(
    { cert: certificate.certPem, key: certificate.keyPem, ...options },
    (socket) => {
      connections += 1
      const connection = connections
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => sockets.delete(socket))
      socket.on('data', (bytes) => {
        requests.push(`${connection} ${bytes}`)
        serve(socket, connection)
      })
    },
  )
  server.on('tlsClientError', () => {})
  server.listen(0, hostname)
  await once(server, 'listening')
  servers.push(server)
  return { port: (server.address() as AddressInfo).port, requests }
}

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const hello: Serve = (socket) => socket.write(HELLO)
const get: Call = { method: 'GET', path: '/' }

function createClient(options: Partial<HttpsClientOptions> = {}, name = 'hs.test') {
  const send = createHttpsClient({ verifyTls: true, ca: authority.caPem, ...options })
  return (port: number, call = get, ms = 5_000, address = '127.0.0.1') => {
    const endpoint = { address, port, tlsServerName: name, hostHeader: 'hs.test' }
    return withDeadline(ms, undefined, (signal) => send(endpoint, call, signal))
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`speaks ${version}`, async () => {
    const { port } = await startServer(hello, { minVersion: version, maxVersion: version })
    expect(await createClient()(port)).toMatchObject({ status: 200, body: 'hello' })
  })
}

test('checks the certificate of a server that is named by its IPv6 address', async () => {
  const { port } = await startServer(hello, {}, '::1')
  expect(await createClient({}, '::1')(port, get, 5_000, '::1')).toMatchObject({ body: 'hello' })
  await expect(createClient({}, '::2')(port, get, 5_000, '::1')).rejects.toThrow(
    'certificate is for another name',
  )
})

test('sends the server name without its trailing dot', async () => {
  const names: unknown[] = []
  const { port } = await startServer((socket) => {
    names.push(Reflect.get(socket, 'servername'))
    socket.write(HELLO)
  })
  await createClient({}, 'hs.test.')(port)
  expect(names).toEqual(['hs.test'])
})

test('sends what is needed and nothing else', async () => {
  const { port, requests } = await startServer(hello)
  await createClient()(port, { method: 'POST', path: '/a/../b c?d=%20é', body: '{"e":"é"}' })
  expect(requests).toEqual([
    '1 POST /b%20c?d=%20%C3%A9 HTTP/1.1\r\nHost: hs.test\r\nAccept: application/json\r\n' +
      'Accept-Encoding: identity\r\nUser-Agent: jwt-service-ts\r\n' +
      'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"e":"é"}',
  ])
})

const connectionsOf = (requests: readonly string[]) =>
  requests.map((text) => Number.parseInt(text, 10))

test('reuses a connection, and opens more when all are busy', async () => {
  const { port, requests } = await startServer(hello)
  const send = createClient()
  await send(port)
  await send(port)
  expect(connectionsOf(requests)).toEqual([1, 1])
  await Promise.all([send(port), send(port)])
  expect(connectionsOf(requests).toSorted()).toEqual([1, 1, 1, 2])
})

test('retries once when an idle connection was closed', async () => {
  const { port, requests } = await startServer((socket, connection) => {
    if (connection === 1 && requests.length > 1) socket.destroy()
    else socket.write(HELLO)
  })
  const send = createClient()
  await send(port)
  expect(await send(port)).toMatchObject({ body: 'hello' })
  expect(connectionsOf(requests)).toEqual([1, 1, 2])
})

test('does not retry on a new connection, or after the first byte', async () => {
  const { port, requests } = await startServer((socket) => {
    if (requests.length === 1) socket.write(HELLO)
    else if (requests.length === 2) socket.end('HTTP/1.1 2')
    else socket.destroy()
  })
  const send = createClient()
  await send(port)
  for (let round = 0; round < 2; round += 1) {
    await expect(send(port)).rejects.toThrow('connection closed by the server')
  }
  expect(connectionsOf(requests)).toEqual([1, 1, 2])
})

test('discards unsolicited answers', async () => {
  const { port, requests } = await startServer((socket) => {
    socket.write(HELLO)
    setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), 1)
  })
  const send = createClient()
  await send(port)
  await until(() => sockets.size === 0)
  expect(await send(port)).toMatchObject({ body: 'hello' })
  expect(connectionsOf(requests)).toEqual([1, 2])
})

test('closes connections that are idle for too long, or too many', async () => {
  const { port } = await startServer(hello)
  const brief = createClient({ idleMs: 20 })
  await brief(port)
  await until(() => sockets.size === 0)
  const few = createClient({ maxIdle: 2 })
  await Promise.all([few(port), few(port), few(port), few(port)])
  await until(() => sockets.size === 2)
})

test('closes the connection at the timeout, also during the handshake', async () => {
  const { port } = await startServer(() => {})
  await expect(createClient()(port, get, 100)).rejects.toThrow('timeout after 0.1 s')
  await until(() => sockets.size === 0)
  const closed = Promise.withResolvers<void>()
  using silent = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data() {}, close: () => closed.resolve() },
  })
  await expect(createClient()(silent.port, get, 100)).rejects.toThrow('timeout after 0.1 s')
  await closed.promise
})

test('fails at once when the server hangs up without a handshake', async () => {
  using abrupt = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (socket) => void socket.end() },
  })
  await expect(createClient()(abrupt.port)).rejects.toThrow('connection closed by the server')
})

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

for (const [what, head, more] of [
  ['a chunk extension', `${CHUNKED}1;`, 'x'.repeat(16_384)],
  ['trailers', `${CHUNKED}0\r\n`, `A: ${'b'.repeat(1_000)}\r\n`.repeat(16)],
  ['interim answers', '', 'HTTP/1.1 100 -\r\n\r\n'.repeat(1_000)],
] as const) {
  test(`hangs up at once on endless ${what}`, async () => {
    const written = Promise.withResolvers<number>()
    const { port } = await startServer((socket) => {
      const pour = () => {
        while (!socket.destroyed && socket.write(more)) {}
      }
      socket.once('close', () => written.resolve(socket.bytesWritten))
      socket.on('drain', pour)
      socket.write(head)
      pour()
    })
    await expect(createClient()(port)).rejects.toThrow(/too large|larger than 128 KiB/)
    // Data in system buffers counts as written.
    expect(await written.promise).toBeLessThan(16 * 1024 * 1024)
  })
}

test.each([
  ['/_matrix/federation/v1/openid/userinfo?access_token=a.b%2Fc', undefined],
  ['/', undefined],
  ['/.well-known/matrix/server', undefined],
  ['/a/../b/./c', '/b/c'],
  ['/a/%2e%2e/b', '/b'],
  ['/a b?c d', '/a%20b?c%20d'],
  ['/a\r\nX: y', '/aX:%20y'],
  ['/ä?ö', '/%C3%A4?%C3%B6'],
  ['//b/c', '//b/c'],
  ['/a?b#c', '/a?b'],
])('the path %p is sent as in any URL', (path, normalised = path) => {
  expect(normalisedPath(path)).toBe(normalised)
})

test('a path is never sent in another form than in a URL', () => {
  const part = fc.constantFrom(
    '/',
    '.',
    '..',
    'a',
    '%2e',
    '%',
    '?',
    '&',
    '=',
    '#',
    ' ',
    '\r\n',
    'ä',
    "'",
    '"',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const path = `/${parts.join('')}`
      const { pathname, search } = new URL(`https://localhost${path}`)
      expect(normalisedPath(path)).toBe(pathname + search)
    }),
    { numRuns: 2_000 },
  )
})
