import { expect, setDefaultTimeout, test } from 'bun:test'
import { identityOf, liveKitRoom } from '../../src/livekit/names.ts'
import { required } from '../process/commands.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { membersPath } from '../support/enforcement-stage.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { createMemberApi } from '../support/member-api.ts'
import { AS_TOKEN, HS_TOKEN, MEMBER_PATHS } from '../support/member-stage.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { startSfu } from '../support/sfu.ts'
import { until } from '../support/until.ts'
import { command } from './support/command.ts'
import { stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const SLOT_ID = 'm.call#ROOM'
const ROOMS = Array.from({ length: 20 }, (_, index) => `!room${index}:example.com`)
const INTERVAL_MS = 1_000
/** How long the homeserver takes, so that checks are under way at any moment. */
const ANSWER_MS = 150

/** A homeserver, an SFU and a Redis, and processes of the service that share it. */
async function setStage() {
  const api = createMemberApi('example.com', AS_TOKEN)
  const homeserver = await startHomeserver({ serverName: 'example.com', memberApi: api })
  const sfu = await startSfu(CREDENTIALS)
  const redis = await startRedisServer()
  const env = {
    ...required,
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_REDIS_URL: redis.url,
    LIVEKIT_AS_TOKEN: AS_TOKEN,
    LIVEKIT_HS_TOKEN: HS_TOKEN,
    LIVEKIT_HS_SERVER_NAME: 'example.com',
    LIVEKIT_CS_API_URL_OVERRIDES: `example.com=${homeserver.url}`,
    LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '1',
  }
  const services: ServiceProcess[] = []
  for (const roomId of ROOMS) {
    homeserver.respond(membersPath(roomId), async (request) => {
      await Bun.sleep(ANSWER_MS)
      return api.answer(request, false) ?? { kind: 'close' }
    })
  }

  return {
    ...{ api, sfu, redis },
    async start() {
      const service = await startService({ command, env })
      services.push(service)
      return service
    },
    /** A user gets a token and connects; gives the identity. */
    async connect(service: ServiceProcess, userId: string, roomId: string): Promise<string> {
      api.join(roomId, userId)
      const response = await fetch(service.url + MEMBER_PATHS.token, {
        method: 'POST',
        headers: { Authorization: `Bearer ${HS_TOKEN}`, 'X-Matrix-User-Identifier': userId },
        body: JSON.stringify({
          url: sfu.wsUrl,
          room_id: roomId,
          slot_id: SLOT_ID,
          member_id: 'member',
        }),
      })
      expect(response.status).toBe(200)
      const identity = identityOf(userId, { form: 'vouched', memberId: 'member' })
      sfu.addParticipant(liveKitRoom(roomId, SLOT_ID), identity)
      return identity
    },
    removals: () => sfu.requests.filter(({ method }) => method === 'RemoveParticipant'),
    listings: () => api.asked.filter((asked) => asked.endsWith('/joined_members')).length,
    async [Symbol.asyncDispose]() {
      for (const service of services) await service.kill()
      await Promise.all([homeserver.close(), sfu.close(), redis.close()])
    },
  }
}

test('when a replica is killed, the other removes everybody in time', async () => {
  await using set = await setStage()
  const [one, two] = [await set.start(), await set.start()]
  for (const roomId of ROOMS) {
    await set.connect(one, '@alice:example.com', roomId)
    await set.connect(two, '@bob:example.com', roomId)
  }
  for (let round = 0; round < 2; round += 1) {
    const before = set.listings()
    await until(() => set.listings() > before + 2 * ROOMS.length)
  }
  expect(set.removals()).toEqual([])

  const leftAt = Date.now()
  for (const roomId of ROOMS) set.api.leave(roomId, '@bob:example.com')
  await one.kill()
  const rooms = () => new Set(set.removals().map(({ message }) => Object(message).room))
  await until(() => rooms().size === ROOMS.length, 10_000)
  const removedAt = set.removals().map(({ at }) => at)
  expect(Math.max(...removedAt) - leftAt).toBeLessThan(INTERVAL_MS + 2_000)
  const bob = identityOf('@bob:example.com', { form: 'vouched', memberId: 'member' })
  const identities = set.removals().map(({ message }) => Object(message).identity)
  expect(new Set(identities)).toEqual(new Set([bob]))
  await stopCalmly(two)
})

test('two replicas ask for each room once per interval, and one that is stopped hands over', async () => {
  await using set = await setStage()
  const [one, two] = [await set.start(), await set.start()]
  for (const roomId of ROOMS) await set.connect(one, '@alice:example.com', roomId)
  await until(() => set.listings() >= ROOMS.length)
  const before = set.listings()
  await Bun.sleep(4_000)
  const perRoom = (set.listings() - before) / ROOMS.length
  expect(perRoom).toBeGreaterThan(2)
  expect(perRoom).toBeLessThan(4.5)

  const bob = await set.connect(one, '@bob:example.com', ROOMS[0] ?? '')
  await stopCalmly(one)
  const leftAt = Date.now()
  set.api.leave(ROOMS[0] ?? '', '@bob:example.com')
  const removal = await until(() => set.removals()[0], 10_000)
  expect(removal.at - leftAt).toBeLessThan(INTERVAL_MS + 2_000)
  expect(Object(removal.message).identity).toBe(bob)
  await stopCalmly(two)
})

test('a Redis that comes back empty is filled again by the replicas', async () => {
  await using set = await setStage()
  const [one, two] = [await set.start(), await set.start()]
  await set.connect(one, '@alice:example.com', ROOMS[0] ?? '')
  await set.connect(two, '@bob:example.com', ROOMS[0] ?? '')
  await until(() => set.listings() > 2)
  await set.redis.kill()
  await set.redis.start()
  const leftAt = Date.now()
  set.api.leave(ROOMS[0] ?? '', '@bob:example.com')
  const removal = await until(() => set.removals()[0], 15_000)
  // The replicas notice within 2 s that Redis is back.
  expect(removal.at - leftAt).toBeLessThan(INTERVAL_MS + 4_000)
  await stopCalmly(one)
  await stopCalmly(two)
})
