import { expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { CREDENTIALS } from '../support/credentials.ts'
import { reply } from '../support/misbehaviour.ts'
import { startSfu } from '../support/sfu.ts'
import { until } from '../support/until.ts'
import { type Caller, createCaller } from './support/caller.ts'
import { startStage, stopCalmly } from './support/stage.ts'
import { states } from './support/states.ts'

setDefaultTimeout(120_000)

const DELAY_MS = 6_000
const HOUR_MS = 3_600_000
/** Of the Debian package `faketime`, by which the clock of the compiled binary can be stepped. */
const PLATFORM = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
const LIBRARY = `/usr/lib/${PLATFORM}/faketime/libfaketime.so.1`

/** A stage whose service and SFU have wall clocks that can be stepped. */
async function startClockStage(env: Readonly<Record<string, string>>) {
  const directory = await mkdtemp(join(tmpdir(), 'test-clocks-'))
  const file = join(directory, 'offset')
  const offsets = { sfu: 0 }
  const sfuNow = () => Date.now() + offsets.sfu
  const sfu = await startSfu({ ...CREDENTIALS, now: sfuNow })
  const stage = await startStage({
    ...env,
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: '1',
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
  const stepService = (ms: number) =>
    writeFile(file, `${ms < 0 ? '-' : '+'}${Math.abs(ms) / 1_000}s`)
  await stepService(0)
  const service = await stage.start()

  async function report(event: string, { identity, room, sid, connectedAt }: Caller) {
    const joinedAtMs = String(Number(connectedAt(sid)) + offsets.sfu)
    const participant = { identity, sid, joinedAtMs }
    const createdAt = String(Math.floor(sfuNow() / 1_000))
    const body = JSON.stringify({
      id: crypto.randomUUID(),
      createdAt,
      event,
      room: { name: room },
      participant,
    })
    const seconds = Math.floor(sfuNow() / 1_000)
    const authorization = await new SignJWT({
      sha256: createHash('sha256').update(body).digest('base64'),
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(CREDENTIALS.apiKey)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + 300)
      .sign(new TextEncoder().encode(CREDENTIALS.apiSecret))
    const init = { method: 'POST', body, headers: { authorization } }
    return (await fetch(`${service.url}/sfu_webhook`, init)).status
  }
  return {
    ...stage,
    sfu,
    service,
    stepService,
    stepSfu(ms: number) {
      offsets.sfu = ms
    },
    call: () => createCaller({ home: stage, sfu, delayMs: DELAY_MS }),
    async join(caller: Caller) {
      caller.connect()
      return report('participant_joined', caller)
    },
    async leave(caller: Caller) {
      caller.disconnect()
      return report('participant_left', caller)
    },
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]()
      await sfu.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

type ClockStage = Awaited<ReturnType<typeof startClockStage>>

async function connected(set: ClockStage): Promise<Caller> {
  const caller = set.call()
  expect((await caller.delegate(set.service)).status).toBe(200)
  expect(await set.join(caller)).toBe(200)
  await until(() => set.events.restarts(caller.delayId).length > 0)
  return caller
}

const CLOCKS = ['service', 'SFU', 'both'] as const
const CASES = states.flatMap((state) => CLOCKS.map((who) => ({ state, who, name: state.name })))

test.concurrent.each(CASES)(
  'with $name, steps of an hour of the clock of $who make nothing due and lose nothing',
  async ({ state, who, name }) => {
    const opened = await state.open()
    await using set = await startClockStage(opened.env)
    const { events } = set
    const stays = await connected(set)
    const notes: string[] = []
    for (const ms of [HOUR_MS, -HOUR_MS]) {
      const leaves = await connected(set)
      const before = events.restarts(stays.delayId).length
      if (who !== 'SFU') await set.stepService(ms)
      if (who !== 'service') set.stepSfu(ms)
      await Bun.sleep(2 * DELAY_MS)
      expect(events.sent(stays.delayId)).toBeUndefined()
      expect(events.sent(leaves.delayId)).toBeUndefined()
      const restarts = events.restarts(stays.delayId).length - before
      expect(restarts).toBeGreaterThanOrEqual(1)
      expect(restarts).toBeLessThanOrEqual(4)
      // Webhooks do not come through while the clocks differ by more than a minute.
      const status = await set.leave(leaves)
      const leftAt = Date.now()
      expect(status).toBe(who === 'both' ? 200 : 401)
      if (who === 'both') {
        const newcomer = await connected(set)
        await set.leave(newcomer)
        expect((await until(() => events.sent(newcomer.delayId))).by).toBe('service')
      }
      await set.stepService(0)
      set.stepSfu(0)
      const sent = await until(() => events.sent(leaves.delayId))
      notes.push(
        `${ms > 0 ? '+' : '-'}1 h: webhook ${status}, announced by ${sent.by} after ${sent.at - leftAt} ms, ${restarts} restarts`,
      )
      expect(sent.by).toBe('service')
    }
    await Bun.sleep(DELAY_MS)
    expect(events.sent(stays.delayId)).toBeUndefined()
    process.stdout.write(`${name}, ${who}: ${notes.join('; ')}\n`)
    await stopCalmly(set.service)
    await opened[Symbol.asyncDispose]()
  },
)

test.concurrent('a homeserver whose clock is an hour off neither hastens nor delays what it asks to wait', async () => {
  await using stage = await startStage()
  const service = await stage.start()
  for (const ms of [HOUR_MS, -HOUR_MS]) {
    const caller = createCaller({ home: stage, sfu: stage.sfu, delayMs: DELAY_MS })
    await caller.delegate(service)
    await caller.join(service)
    await until(() => stage.events.restarts(caller.delayId).length > 0)
    let refusals = 0
    stage.events.handle((call, carryOut) => {
      if (call.delayId !== caller.delayId || refusals === 1) return carryOut()
      refusals += 1
      const at = Date.now() + ms
      const date = new Date(at).toUTCString()
      const headers = { Date: date, 'Retry-After': new Date(at + 1_000).toUTCString() }
      return reply(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'Later' }, headers)
    })
    await Bun.sleep(2 * DELAY_MS)
    stage.events.handle()
    expect(refusals).toBe(1)
    expect(stage.events.sent(caller.delayId)).toBeUndefined()
    await caller.leave(service)
    const sent = await until(() => stage.events.sent(caller.delayId))
    expect(sent.by).toBe('service')
  }
  await stopCalmly(service)
})
