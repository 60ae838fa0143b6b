import { createRedisServer, type RedisServer } from '../../support/redis-server.ts'

/** Starts an empty Redis, on a free loopback port. */
export async function startRedis(): Promise<RedisServer & AsyncDisposable> {
  const server = await createRedisServer()
  await server.start()
  return { ...server, [Symbol.asyncDispose]: server.close }
}
