/**
 * Runs the service for a long time in both modes, with homeservers that stall, lie and vanish, a Redis
 * that restarts and a replica that does so every minute: `bun test/soak/main.ts [--minutes 20]`. Needs
 * `bun run build`. Ends with code 1 when somebody was lost, or something grew. Under ten minutes it asks
 * nothing that a busy machine could not give.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findClosedPort } from '../support/dead-end.ts'
import { type Form, formOf } from './form.ts'
import { compareLevels, type Growth, renderGrowths, tooMuch } from './growth.ts'
import { anonymousMiB, type Levels, readLevels, type Watched } from './levels.ts'
import { type Load, startLoad } from './load.ts'
import { askForTokens } from './tokens.ts'
import { complaintsAbout } from './verdict.ts'
import { startWorld, type World } from './world.ts'

const CALIBRATE_MS = 5_000
/** The load: a part of what one replica can do on this machine, along with the stand-ins. */
const LOAD_SHARE = 1 / 3
const SAY_EVERY_MS = 30_000
/** Timers, leases and short-lived caches run out by then. */
const SETTLE_LIMIT_MS = 150_000
const SETTLE_STEP_MS = 5_000

function say(what: string, figures: object): void {
  process.stdout.write(`${new Date().toISOString()} ${what} ${JSON.stringify(figures)}\n`)
}

async function workLeft(metricsPort: number): Promise<Readonly<Record<string, number>>> {
  const headers = { connection: 'close' }
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers })).text()
  function gauge(name: string): number {
    const values = text.matchAll(new RegExp(`^jwt_service_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))
    return [...values].reduce((sum, [, value]) => sum + Number(value), 0)
  }
  return {
    delegations: gauge('delegations'),
    'requests at the gates': gauge('gate_running'),
    'requests before the gates': gauge('gate_waiting'),
  }
}

const isNothing = (left: Readonly<Record<string, number>>) =>
  Object.values(left).every((count) => count === 0)

/** Waits until nothing is under way any more. */
async function settle(watched: Watched): Promise<void> {
  const endsAt = performance.now() + SETTLE_LIMIT_MS
  do await Bun.sleep(SETTLE_STEP_MS)
  while (!isNothing(await workLeft(watched.metricsPort)) && performance.now() < endsAt)
}

/** Waits until nothing is more than it was, or it has become clear that it stays more. */
async function settledGrowths(watched: Watched, early: Levels): Promise<readonly Growth[]> {
  const endsAt = performance.now() + SETTLE_LIMIT_MS
  for (;;) {
    const growths = compareLevels(early, await readLevels(watched))
    if (tooMuch(growths).length === 0 || performance.now() > endsAt) return growths
    await Bun.sleep(SETTLE_STEP_MS)
  }
}

/** Lives and tokens for so long. */
async function underLoad(
  world: World,
  watched: Watched,
  load: Load,
  form: Form,
  perSecond: number,
) {
  const until = performance.now() + form.durationMs
  const stream = askForTokens(world, watched.service, () => performance.now() > until, perSecond)
  await load.run(form.durationMs, form)
  return stream
}

async function soak(form: Form, folder: string): Promise<readonly string[]> {
  await using world = await startWorld()
  const metricsPort = await findClosedPort()
  const heapFile = join(folder, 'heap.json')
  const service = await world.startReplica(metricsPort, heapFile)
  const watched = { service, metricsPort, redisPort: world.redis.port, heapFile }
  const load = await startLoad(world, service, form)

  const calibratedAt = performance.now() + CALIBRATE_MS
  const capacity = await askForTokens(world, service, () => performance.now() > calibratedAt)
  say('capacity', capacity)
  const perSecond = capacity.perSecond * LOAD_SHARE
  const warmUp = { restartEveryMs: form.warmUpMs / 2, redisEveryMs: form.warmUpMs / 3 }
  await underLoad(
    world,
    watched,
    load,
    { ...form, ...warmUp, durationMs: form.warmUpMs },
    perSecond,
  )
  await settle(watched)
  const early = await readLevels(watched)
  say('warm', load.ledger)

  let earlyMiB = 0
  const ticker = setInterval(() => {
    say('under load', { ...load.ledger, anonymousMiB: anonymousMiB(service) })
  }, SAY_EVERY_MS)
  const glance = setTimeout(() => {
    earlyMiB = anonymousMiB(service)
  }, form.durationMs * 0.4)
  const tokens = await underLoad(world, watched, load, form, perSecond)
  clearInterval(ticker)
  clearTimeout(glance)

  await settle(watched)
  const memory = { early: earlyMiB, late: anonymousMiB(service) }
  const left = await workLeft(metricsPort)
  const growths = await settledGrowths(watched, early)
  say('at the end', { ...load.ledger, tokens, memory, left })
  process.stdout.write(`${renderGrowths(growths)}\n`)
  const exitCodes = [await service.stop(), await load.end()]
  const { ledger, failures } = load
  return complaintsAbout({ ledger, tokens, failures, growths, memory, left, exitCodes }, form)
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } })
const folder = await mkdtemp(join(tmpdir(), 'soak-'))
const complaints = await soak(formOf(Number(values.minutes)), folder)
await rm(folder, { recursive: true })
for (const complaint of complaints) process.stdout.write(`${complaint}\n`)
say(complaints.length === 0 ? 'sound' : 'NOT SOUND', { complaints: complaints.length })
process.exit(complaints.length === 0 ? 0 : 1)
