import { createRedisServer, type RedisServer } from '../../support/redis-server.ts'
import { type Stage, startStage } from './stage.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** A stage whose services keep their state in a Redis that can be taken from them. */
export interface RedisStage extends Stage {
  readonly redis: RedisServer
  /** Between the services and Redis. */
  readonly proxy: TcpProxy
}

/** Sets the stage; Redis does not run yet. */
export async function prepareRedisStage(): Promise<RedisStage> {
  const redis = await createRedisServer({ persistent: true })
  const proxy = await startTcpProxy(redis.port)
  const stage = await startStage({ LIVEKIT_REDIS_URL: `redis://127.0.0.1:${proxy.port}` })
  return {
    ...stage,
    redis,
    proxy,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]()
      await proxy.close()
      await redis.close()
    },
  }
}

/** Sets the stage, with Redis running. */
export async function startRedisStage(): Promise<RedisStage> {
  const stage = await prepareRedisStage()
  await stage.redis.start()
  return stage
}
