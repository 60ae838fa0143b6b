import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { type ServiceStage, startServiceStage } from '../support/service-stage.ts'
import type { Sfu } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ROOM = 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'
const DELAY_ID = 'syd_hunter2hunter2hunter2'
let homeserver: Homeserver
let sfu: Sfu
let app: TestApp
let stage: ServiceStage

beforeAll(async () => {
  stage = await startServiceStage({ random: () => 0 })
  ;({ app, sfu, homeserver } = stage)
})
afterAll(() => stage.close())

async function delegate(): Promise<string> {
  homeserver.scheduleDelayedEvent(DELAY_ID)
  const response = await app.post('/get_token', {
    room_id: '!roomid:example.com',
    slot_id: 'slot1234',
    openid_token: stage.openIdToken(),
    member: {
      id: 'member',
      claimed_user_id: '@alice:example.com',
      claimed_device_id: 'DEVICE',
    },
    delay_id: DELAY_ID,
    delay_timeout: 3_600_000,
  })
  expect(response.status).toBe(200)
  const { identity } = await until(() => app.log.find((line) => line.identity !== undefined))
  return String(identity)
}

test('logs only the first of several failures of a homeserver in a row', async () => {
  const identity = await delegate()
  homeserver.respond('/_matrix/client/unstable/*', reply(500, { errcode: 'M_UNKNOWN' }))
  sfu.addParticipant(ROOM, identity)
  const attempts = () => homeserver.delayedEventCalls.length
  const told = () => app.log.filter(({ message }) => message === 'delegation: an attempt failed')
  await until(() => attempts() >= 3)
  homeserver.restore()
  await until(() => attempts() >= 4)

  const line = { time: expect.any(String), message: 'delegation: an attempt failed' }
  const about = { room: ROOM, identity, server_name: 'example.com' }
  const what = {
    action: 'restart',
    cause: `status 500, M_UNKNOWN, for /delayed_events from ${homeserver.url}`,
    code: 'client-api.unavailable',
    remedy: 'If it is your homeserver: check whether it runs, and its log.',
  }
  expect(told()).toEqual(
    ['warn', 'debug', 'debug'].map((level) => ({ ...line, level, ...about, ...what })),
  )
  expect(JSON.stringify(app.log)).not.toContain('hunter2hunter2')
})
