import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'
import { createCaller } from './support/caller.ts'
import { type Stage, startStage, stopCalmly } from './support/stage.ts'
import { type State, states } from './support/states.ts'

setDefaultTimeout(120_000)

const FAILURE = reply(500, { errcode: 'M_UNKNOWN', error: 'Internal server error' })

describe.each(states)('with its state in $name, a service that is killed', ({ open }) => {
  async function setStage() {
    const state: State = await open()
    const stage: Stage = await startStage(state.env)
    return {
      state,
      stage,
      call: (delayMs: number) => createCaller({ home: stage, sfu: stage.sfu, delayMs }),
      async [Symbol.asyncDispose]() {
        await stage[Symbol.asyncDispose]()
        await state[Symbol.asyncDispose]()
      },
    }
  }

  /** A service, and somebody whose event it has restarted for the first time. */
  async function connectOne(set: Awaited<ReturnType<typeof setStage>>, delayMs: number) {
    const service = await set.stage.start()
    const caller = set.call(delayMs)
    await caller.delegate(service)
    await caller.join(service)
    await until(() => set.stage.events.restarts(caller.delayId).length === 1, 6_000)
    return { service, caller }
  }

  test.concurrent('while waiting still knows a participant who joins and leaves afterwards', async () => {
    await using set = await setStage()
    const { events } = set.stage
    const first = await set.stage.start()
    const caller = set.call(20_000)
    expect((await caller.delegate(first)).status).toBe(200)
    await first.kill()

    const second = await set.stage.start()
    await caller.join(second)
    await until(() => events.restarts(caller.delayId).length === 1, 6_000)
    await caller.leave(second)
    expect(await until(() => events.sent(caller.delayId), 6_000)).toMatchObject({
      by: 'service',
    })
    await stopCalmly(second)
  })

  test.concurrent('while waiting finds a participant who joined in the meantime', async () => {
    await using set = await setStage()
    const { events } = set.stage
    const first = await set.stage.start()
    const caller = set.call(20_000)
    await caller.delegate(first)
    await first.kill()
    caller.connect()

    const second = await set.stage.start()
    await until(() => events.restarts(caller.delayId).length === 1, 6_000)
    expect(events.calls('send')).toEqual([])
    await stopCalmly(second)
  })

  test.concurrent('while connected goes on restarting, past the delay, and sends at the end', async () => {
    await using set = await setStage()
    const { events } = set.stage
    const { service: first, caller } = await connectOne(set, 9_000)
    await first.kill()

    const second = await set.stage.start()
    await until(() => events.restarts(caller.delayId).length === 3, 60_000)
    expect(events.calls('send')).toEqual([])
    expect(events.sent(caller.delayId)).toBeUndefined()
    await caller.leave(second)
    expect(await until(() => events.sent(caller.delayId), 6_000)).toMatchObject({
      by: 'service',
    })
    await stopCalmly(second)
  })

  test.concurrent('while connected finds a participant who left in the meantime', async () => {
    await using set = await setStage()
    const { events } = set.stage
    const { service: first, caller } = await connectOne(set, 20_000)
    await first.kill()
    caller.disconnect()
    // Longer than any lease of the killed worker.
    await Bun.sleep(3_500)

    const second = await set.stage.start()
    const startedAt = Date.now()
    const sent = await until(() => events.sent(caller.delayId), 9_000)
    expect(sent.by).toBe('service')
    expect(sent.at - startedAt).toBeLessThan(4_000)
    await stopCalmly(second)
  })

  test.concurrent('before sending sends afterwards', async () => {
    await using set = await setStage()
    const { events } = set.stage
    const { service: first, caller } = await connectOne(set, 20_000)
    events.handle(() => FAILURE)
    await caller.leave(first)
    await until(() => events.calls('send').length > 0, 6_000)
    await first.kill()
    events.handle()

    const second = await set.stage.start()
    const sent = await until(() => events.sent(caller.delayId), 9_000)
    expect(sent.by).toBe('service')
    await until(() => second.output().includes('"cause":"sent"'), 6_000)
    await stopCalmly(second)
  })

  test.concurrent.each(['restart', 'send'] as const)(
    'between the answer to a %s and the update of its state does no harm and goes on',
    async (action) => {
      await using set = await setStage()
      const { events } = set.stage
      const first = await set.stage.start()
      const caller = set.call(9_000)
      let killed: Promise<true> | undefined
      // The homeserver answers, but the outcome can never be stored.
      events.handle((call, carryOut) => {
        if (call.action !== action || killed !== undefined) return carryOut()
        set.state.freeze()
        killed = Bun.sleep(100)
          .then(() => first.kill())
          .then(() => true)
        return carryOut()
      })
      await caller.delegate(first)
      await caller.join(first)
      if (action === 'send') {
        await until(() => events.restarts(caller.delayId).length === 1, 6_000)
        // It may be killed before it has answered.
        await caller.leave(first).catch(() => undefined)
      }
      await until(() => killed, 6_000)
      set.state.thaw()

      const second = await set.stage.start()
      if (action === 'restart') {
        await until(() => events.restarts(caller.delayId).length === 3, 60_000)
        expect(events.calls('send')).toEqual([])
        expect(events.sent(caller.delayId)).toBeUndefined()
        await caller.leave(second)
        await until(() => events.sent(caller.delayId), 6_000)
      } else {
        const cause = 'the delayed event was already sent or cancelled'
        await until(() => second.output().includes(cause), 9_000)
        expect(events.calls('send').length).toBe(2)
      }
      expect(events.sent(caller.delayId)?.by).toBe('service')
      await stopCalmly(second)
    },
  )
})
