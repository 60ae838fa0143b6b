import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Answer } from '../support/misbehaviour.ts'
import { twirpError } from '../support/sfu.ts'
import { createCaller } from './support/caller.ts'
import { eventually } from './support/eventually.ts'
import { startStage, stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const AWAY: readonly { readonly name: string; readonly answer: Answer }[] = [
  { name: 'hangs', answer: { kind: 'hang' } },
  { name: 'closes connections', answer: { kind: 'close' } },
  { name: 'is unavailable', answer: twirpError(503, 'unavailable', 'try later') },
  { name: 'knows no credentials', answer: twirpError(401, 'unauthenticated', 'invalid token') },
  { name: 'is behind a proxy that finds nothing', answer: twirpError(404, 'bad_route', 'none') },
]

describe('an SFU that is away', () => {
  test.concurrent.each(AWAY)(
    'and $name makes nobody leave; who left meanwhile is found when it is back',
    async ({ answer }) => {
      await using stage = await startStage({ LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: '1' })
      const { events, sfu } = stage
      const service = await stage.start()
      const call = () => createCaller({ home: stage, sfu, delayMs: 6_000 })
      const stays = call()
      const goes = call()
      for (const caller of [stays, goes]) {
        await caller.delegate(service)
        await caller.join(service)
      }
      sfu.respond('GetParticipant', answer)
      await eventually(12_000, () => events.restarts(stays.delayId).length === 2)
      expect(events.calls('send')).toEqual([])

      goes.disconnect()
      sfu.restore('GetParticipant')
      const sent = await eventually(12_000, () => events.sent(goes.delayId))
      expect(sent.by).toBe('service')
      const restarts = events.restarts(stays.delayId).length
      await eventually(6_000, () => events.restarts(stays.delayId).length > restarts)
      expect(events.sent(stays.delayId)).toBeUndefined()
      expect(events.calls('send', stays.delayId)).toEqual([])
      await stopCalmly(service)
    },
  )

  test.concurrent('while a participant is expected does not make the service send', async () => {
    await using stage = await startStage()
    const { events, sfu } = stage
    const service = await stage.start()
    const caller = createCaller({ home: stage, sfu, delayMs: 3_000 })
    await caller.delegate(service)
    sfu.respond('GetParticipant', twirpError(503, 'unavailable', 'try later'))
    caller.connect()
    // For a participant who cannot be seen, the homeserver's timer runs out.
    await eventually(8_000, () => service.output().includes('"to":"dropped"'))
    expect(events.calls('send')).toEqual([])
    expect(events.sent(caller.delayId)?.by).toBe('timer')
    await stopCalmly(service)
  })
})

test.concurrent('finds a participant without webhooks before the homeserver announces a leave', async () => {
  await using stage = await startStage()
  const { events, sfu } = stage
  const service = await stage.start()
  const caller = createCaller({ home: stage, sfu, delayMs: 10_000 })
  await caller.delegate(service)
  await Bun.sleep(7_000)
  caller.connect()
  await eventually(5_000, () => events.restarts(caller.delayId).length === 1)
  expect(events.sent(caller.delayId)).toBeUndefined()
  await stopCalmly(service)
})
