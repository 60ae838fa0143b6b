import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createRedisServer, type RedisServerOptions } from '../support/redis-server.ts'
import { type DoctorStage, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

/** @param credentials - as in a URL; those of the server unless given */
async function examineWith(options: RedisServerOptions, credentials?: string) {
  const redis = await createRedisServer(options)
  try {
    await redis.start()
    const url =
      credentials === undefined ? redis.url : `redis://${credentials}127.0.0.1:${redis.port}`
    return await stage.examine({ args: [], env: { LIVEKIT_REDIS_URL: url } })
  } finally {
    await redis.close()
  }
}

test('finds nothing wrong with a Redis that keeps what it is given', async () => {
  const { codes, findings } = await examineWith({ persistent: true })
  expect(codes).toEqual([])
  expect(findings.find(({ step }) => step === 'state')?.found).toMatch(
    /^Redis 7\.\d+\.\d+, on disk, with all rights that the service needs$/,
  )
})

test('finds a Redis that evicts, as store.redis-evicts alone', async () => {
  const args = ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']
  const { codes, findings } = await examineWith({ persistent: true, args })
  expect(codes).toEqual(['store.redis-evicts'])
  expect(findings.find(({ level }) => level === 'problem')?.remedy).toContain('noeviction')
})

test('warns of a Redis that keeps nothing on disk', async () => {
  const { codes, exitCode } = await examineWith({})
  expect(codes).toEqual(['store.redis-not-persistent'])
  expect(exitCode).toBe(0)
})

test('finds a missing password', async () => {
  const { codes } = await examineWith({ persistent: true, password: 'right' }, '')
  expect(codes).toEqual(['store.redis-password'])
})

test('finds a Redis that nobody answers for', async () => {
  const env = { LIVEKIT_REDIS_URL: 'redis://127.0.0.1:1' }
  const { codes } = await stage.examine({ args: [], env })
  expect(codes).toEqual(['store.redis-unreachable'])
})

test('finds a user of Redis without the rights that the service needs', async () => {
  const args = ['--user', 'someone', 'on', '>secret', '~other:*', '+@all']
  const { codes } = await examineWith({ persistent: true, args }, 'someone:secret@')
  expect(codes).toEqual(['store.redis-rights'])
})
