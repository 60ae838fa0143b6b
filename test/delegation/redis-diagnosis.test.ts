import { afterAll, beforeAll, expect, test } from 'bun:test'
import { diagnoseRedis } from '../../src/delegation/store/redis-diagnosis.ts'
import type { StoreCode } from '../../src/delegation/store/store.ts'
import { type Authority, createAuthority } from '../support/certificates.ts'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

/** Characters that a URL has for other purposes. */
const SECRET = 's:/@ü%'

let authority: Authority
let open: RedisServer
let closed: RedisServer

beforeAll(async () => {
  authority = await createAuthority()
  const certificate = await authority.issue({ ip: ['127.0.0.1'] })
  open = await startRedisServer({ certificate })
  closed = await startRedisServer({ password: 'right' })
  await closed.run('ACL', 'SETUSER', 'service', 'on', `>${SECRET}`, '~*', '&*', '+@all')
})
afterAll(async () => {
  await open.close()
  await closed.close()
  await authority.dispose()
})

async function diagnose(url: string) {
  return diagnoseRedis(new URL(url), 1_000)
}

async function expectFound(url: string, code: StoreCode, found: string): Promise<void> {
  const place = new URL(url).host
  expect(await diagnose(url)).toEqual({ code, found: `${found}, at ${place}` })
}

test('finds nothing wrong where nothing is', async () => {
  expect(await diagnose(open.url)).toBeUndefined()
  expect(await diagnose(`${open.url}/15`)).toBeUndefined()
  expect(await diagnose(closed.url)).toBeUndefined()
  expect(
    await diagnose(`redis://service:${encodeURIComponent(SECRET)}@127.0.0.1:${closed.port}/1`),
  ).toBeUndefined()
})

test('finds that nothing listens', async () => {
  const url = `redis://127.0.0.1:${await findClosedPort()}`
  await expectFound(url, 'store.redis-unreachable', 'connection refused')
})

test('finds that the host has no address', async () => {
  const url = 'redis://redis.invalid:6379'
  await expectFound(url, 'store.redis-unreachable', 'the host name has no address')
})

test('finds that nothing is answered', async () => {
  await using silent = await startSilentListener()
  const address = `127.0.0.1:${silent.port}`
  await expectFound(`redis://${address}`, 'store.redis-silent', 'no answer within 1 s')
  const found = 'no answer within 1 s to the beginning of TLS'
  await expectFound(`rediss://${address}`, 'store.redis-tls', found)
})

test('finds that a password is missing, wrong or not asked for', async () => {
  const place = `127.0.0.1:${closed.port}`
  const code = 'store.redis-password'
  const wrong = 'it does not accept the user name or the password'
  await expectFound(`redis://${place}`, code, 'it asks for a password, and none is set')
  await expectFound(`redis://:wrong@${place}`, code, wrong)
  await expectFound(`redis://nobody:secret@${place}`, code, wrong)
  const unasked = 'it does not ask for a password, and one is set'
  await expectFound(`redis://:any@127.0.0.1:${open.port}`, code, unasked)
})

test('finds that there is no such database', async () => {
  await expectFound(`${open.url}/99`, 'store.redis-database', 'it has no database 99')
})

test('finds that one side speaks TLS and the other does not', async () => {
  const plain = `rediss://127.0.0.1:${open.port}`
  await expectFound(plain, 'store.redis-tls', 'no answer within 1 s to the beginning of TLS')
  const tls = open.tlsUrl.replace('rediss', 'redis')
  await expectFound(tls, 'store.redis-unreachable', 'connection closed by the server')
  await using proxy = await startHomeserver({ certificate: await authority.issue({}) })
  const found = 'it speaks TLS, and the URL does not begin with "rediss"'
  await expectFound(`redis://${proxy.address}`, 'store.redis-tls', found)
})

test('finds that the certificate is not trusted', async () => {
  const found = 'certificate is signed by an unknown authority'
  await expectFound(open.tlsUrl, 'store.redis-tls', found)
})

test('ends when what answers never comes to the end of a line', async () => {
  using dripping = Bun.listen<{ timer: Timer }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { timer: setInterval(() => socket.write('+'), 20) }
      },
      close: (socket) => clearInterval(socket.data.timer),
      data() {},
    },
  })
  const url = `redis://127.0.0.1:${dripping.port}`
  await expectFound(url, 'store.redis-silent', 'no answer within 1 s')
})
