import { afterEach, expect, test } from 'bun:test'
import type { Trouble } from '../../src/trouble.ts'
import { createAuthority } from '../support/certificates.ts'
import { connected, waiting } from '../support/delegations.ts'
import {
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from '../support/redis-server.ts'
import { runScript } from '../support/script-process.ts'
import { openTestStore, read } from '../support/stores.ts'
import { until } from '../support/until.ts'

const toClose: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const resource of toClose.splice(0).reverse()) await resource.close()
})

async function startRedis(options?: RedisServerOptions): Promise<RedisServer> {
  const redis = await startRedisServer(options)
  toClose.push(redis)
  return redis
}

async function open(url: string) {
  const changes: (readonly [boolean, Trouble | undefined])[] = []
  const store = await openTestStore(url, (state, trouble) =>
    changes.push([state === 'connected', trouble]),
  )
  toClose.push(store)
  return { store, changes }
}

test('authenticates with the password, and finds what it wrote', async () => {
  const redis = await startRedis({ password: 's3cret' })
  const { store, changes } = await open(redis.url)
  await store.put(waiting())
  expect((await read(store, waiting())).delegation).toEqual(waiting())
  expect(changes).toEqual([[true, undefined]])
})

for (const [what, credentials, found] of [
  ['a wrong password', ':wrong@', 'it does not accept the user name or the password'],
  ['no password', '', 'it asks for a password, and none is set'],
] as const) {
  test(`${what} makes the store unavailable, and is logged without the password`, async () => {
    const redis = await startRedis({ password: 's3cret' })
    const { store, changes } = await open(`redis://${credentials}127.0.0.1:${redis.port}`)
    const refused = { code: 'store.redis-password', found: `${found}, at 127.0.0.1:${redis.port}` }
    expect(changes).toEqual([[false, refused]])
    await expect(store.put(waiting())).rejects.toThrow('state store: Redis is not connected')
    await redis.run('CONFIG', 'SET', 'requirepass', 'wrong')
    if (credentials === '') await redis.run('CONFIG', 'SET', 'requirepass', '')
    await until(() => changes.length === 2)
    await store.put(waiting())
    expect(changes).toEqual([
      [false, refused],
      [true, undefined],
    ])
  })
}

test('uses the database of the URL', async () => {
  const redis = await startRedis()
  const two = await open(`${redis.url}/2`)
  const zero = await open(redis.url)
  await two.store.put(waiting())
  await zero.store.put(connected())
  expect((await read(two.store, waiting())).delegation).toEqual(waiting())
  expect((await read(zero.store, waiting())).delegation).toEqual(connected())
  await redis.run('SELECT', '2')
  expect(await redis.run('HLEN', 'lk-jwt:jobs')).toBe(1)
})

test('refuses a layout of a later version until it is downgraded', async () => {
  const redis = await startRedis()
  await redis.run('SET', 'lk-jwt:schema', '3')
  const { store, changes } = await open(redis.url)
  expect(changes).toEqual([
    [
      false,
      {
        code: 'store.redis-newer-version',
        found: 'Redis holds schema version 3, and this program knows versions up to 2',
      },
    ],
  ])
  await expect(store.put(waiting())).rejects.toThrow('state store: ')
  expect(await redis.run('KEYS', '*')).toEqual(['lk-jwt:schema'])
  await redis.run('SET', 'lk-jwt:schema', '2')
  await until(() => changes.length === 2)
  await store.put(waiting())
})

/** In a process of its own, since the authority is read when a process starts. */
function useOverTls(url: string, caFile?: string) {
  return runScript(
    `import { openRedisStore } from '#src/delegation/store/redis-store.ts'
     process.on('unhandledRejection', () => process.stdout.write('UNHANDLED '))
     const store = await openRedisStore({
       url: process.env.URL, now: () => 1, newGeneration: () => 'g', timeoutMs: 1000,
       onChange: (state, trouble) => process.stdout.write(state + ' ' + (trouble?.code ?? '') + ' '),
     })
     try {
       await store.put(JSON.parse(process.env.DELEGATION))
       const woken = Promise.withResolvers()
       store.onWake((key) => woken.resolve(key.room))
       await store.put(JSON.parse(process.env.DELEGATION))
       process.stdout.write('woken for ' + (await woken.promise))
     } catch (error) {
       process.stdout.write(error.name)
     }
     await store.close()`,
    {
      URL: url,
      DELEGATION: JSON.stringify(waiting()),
      ...(caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: caFile }),
    },
  )
}

test('connects over TLS to a server with a certificate of an added authority', async () => {
  await using authority = await createAuthority()
  const certificate = await authority.issue({ ip: ['127.0.0.1'] })
  const redis = await startRedis({ certificate, password: 's3cret' })
  const process = useOverTls(redis.tlsUrl, authority.caFile)
  await process.exited
  expect(process.output()).toBe('connected  woken for room')
  expect(await redis.run('HLEN', 'lk-jwt:jobs')).toBe(1)
})

test('refuses a certificate of an unknown authority or for another name', async () => {
  await using authority = await createAuthority()
  await using stranger = await createAuthority()
  const ofAnother = await startRedis({
    certificate: await authority.issue({ dns: ['redis.test'] }),
  })
  const foreign = await startRedis({ certificate: await stranger.issue({ ip: ['127.0.0.1'] }) })
  for (const redis of [ofAnother, foreign]) {
    const process = useOverTls(redis.tlsUrl, authority.caFile)
    await process.exited
    expect(process.output()).toMatch(/^away store\.redis-tls .*StoreUnavailable$/)
    expect(await redis.run('KEYS', '*')).toEqual([])
  }
})
