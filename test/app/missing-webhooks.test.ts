import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type ServiceStage, startServiceStage } from '../support/service-stage.ts'
import { until } from '../support/until.ts'

const ROOM = 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'
let stage: ServiceStage

beforeAll(async () => {
  stage = await startServiceStage({ random: () => 0 })
})
afterAll(() => stage.close())

const warnings = () => stage.app.log.filter(({ code }) => code === 'webhook.never-comes')
const transitions = (cause: string) => stage.app.log.filter((line) => line.cause === cause)

/** Hands an event over and joins, which the SFU tells nobody. */
async function joinUnseen(member: string): Promise<void> {
  const { app, sfu, homeserver } = stage
  const delayId = `syd_${member}`
  homeserver.scheduleDelayedEvent(delayId)
  const response = await app.post('/get_token', {
    room_id: '!roomid:example.com',
    slot_id: 'slot1234',
    openid_token: stage.openIdToken(),
    member: { id: member, claimed_user_id: '@alice:example.com', claimed_device_id: 'DEVICE' },
    delay_id: delayId,
    delay_timeout: 3_600_000,
  })
  expect(response.status).toBe(200)
  const { identity } = await until(() => transitions('accepted').at(-1))
  sfu.addParticipant(ROOM, String(identity))
}

test('an SFU without webhooks is noticed at the third participant, and told once', async () => {
  await joinUnseen('one')
  await joinUnseen('two')
  await until(() => transitions('found present').length === 2)
  expect(warnings()).toEqual([])
  await joinUnseen('three')
  await joinUnseen('four')
  await until(() => transitions('found present').length === 4)
  expect(warnings()).toHaveLength(1)
})
