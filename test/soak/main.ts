/**
 * Runs the service for a long time in both modes, with homeservers that stall, lie and vanish, a Redis
 * that restarts and a replica that does so every minute: `bun test/soak/main.ts [--minutes 20]`. Needs
 * `bun run build`. Ends with code 1 when somebody was lost, or something grew.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { findClosedPort } from '../support/dead-end.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { ask, type Ledger, liveAlone, liveAsMember } from './lives.ts'
import { askForTokens } from './tokens.ts'
import { startWorld } from './world.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } })
const durationMs = Number(values.minutes) * 60_000
const RESTART_EVERY_MS = 60_000
const REDIS_EVERY_MS = 97_000
const SETTLE_MS = 75_000
const CALIBRATE_MS = 5_000
/** The load: a part of what one replica can do on this machine, along with the stand-ins. */
const LOAD_SHARE = 1 / 3
/** Idle connections that the runtime keeps for later, whatever the load was. */
const KEPT_CONNECTIONS = 64
/** Who leaves while a replica or Redis is away may have the timer run out. */
const BY_TIMER_SHARE = 0.02

/** What may not grow in the replica that runs all the time. */
function levelsOf({ pid }: ServiceProcess) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const anonymous = Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1]) / 1_024
  return { files: readdirSync(`/proc/${pid}/fd`).length, anonymousMiB: Math.round(anonymous) }
}

async function gauge(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const values = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0)
}

function say(what: string, figures: object): void {
  process.stdout.write(`${new Date().toISOString()} ${what} ${JSON.stringify(figures)}\n`)
}

await using world = await startWorld()
const steadyPort = await findClosedPort()
const steady = await world.startReplica(steadyPort)
let restarted = await world.startReplica(await findClosedPort())
const ledger: Ledger = {
  ...{
    lives: 0,
    falseLeaves: 0,
    lost: 0,
    byTimer: 0,
    members: 0,
    notRemoved: 0,
    strangers: 0,
    strange: 0,
  },
}
const pick = () => (Math.random() < 0.5 ? steady : restarted)
const under = new Set<Promise<void>>()
const failures: unknown[] = []

function begin(work: Promise<void>): void {
  const tracked = work
    .catch((error: unknown) => void failures.push(error))
    .finally(() => under.delete(tracked))
  under.add(tracked)
}

const atStart = levelsOf(steady)
const calibratedAt = performance.now() + CALIBRATE_MS
const capacity = await askForTokens(world, steady, () => performance.now() > calibratedAt)
say('capacity', { ...capacity, atStart })
const until = performance.now() + durationMs
const isOver = () => performance.now() > until
const stream = askForTokens(world, steady, isOver, capacity.perSecond * LOAD_SHARE)
let restartAt = performance.now() + RESTART_EVERY_MS
let redisAt = performance.now() + REDIS_EVERY_MS
let sayAt = performance.now() + 30_000
let early: ReturnType<typeof levelsOf> | undefined
let turns = 0
while (performance.now() < until) {
  if (turns % 2 === 0) begin(liveAlone(world, pick, ledger))
  if (turns % 4 === 1) begin(liveAsMember(world, pick, ledger))
  for (let i = 0; i < 3; i += 1) begin(ask(pick, ledger))
  turns += 1
  await Bun.sleep(100)
  const now = performance.now()
  if (now > restartAt) {
    restartAt = now + RESTART_EVERY_MS
    await (turns % 2 === 0 ? restarted.kill() : restarted.stop())
    restarted = await world.startReplica(await findClosedPort())
  }
  if (now > redisAt) {
    redisAt = now + REDIS_EVERY_MS
    await world.redis.kill()
    await Bun.sleep(1_000)
    await world.redis.start()
  }
  if (now > sayAt) {
    sayAt = now + 30_000
    say('under load', { ...ledger, underWay: under.size, ...levelsOf(steady) })
  }
  if (early === undefined && now > until - durationMs * 0.6) early = levelsOf(steady)
}
await Promise.all(under)
const tokens = await stream
const loaded = levelsOf(steady)
await Bun.sleep(SETTLE_MS)
const settled = levelsOf(steady)
const left = {
  delegations: await gauge(steadyPort, 'jwt_service_delegations'),
  running: await gauge(steadyPort, 'jwt_service_gate_running'),
  waiting: await gauge(steadyPort, 'jwt_service_gate_waiting'),
}
say('at the end', { ...ledger, failures: failures.length, tokens, early, loaded, settled, ...left })
for (const failure of failures.slice(0, 3)) process.stdout.write(`${failure}\n`)
const codes = [await steady.stop(), await restarted.stop()]
const isSound =
  ledger.falseLeaves + ledger.lost + ledger.notRemoved + ledger.strange + failures.length === 0 &&
  tokens.refused === 0 &&
  ledger.byTimer <= ledger.lives * BY_TIMER_SHARE &&
  left.delegations + left.running + left.waiting === 0 &&
  settled.files < atStart.files + KEPT_CONNECTIONS + 10 &&
  settled.anonymousMiB < 1.3 * (early?.anonymousMiB ?? 0) + 10 &&
  codes.every((code) => code === 0)
say(isSound ? 'sound' : 'NOT SOUND', { codes })
process.exit(isSound ? 0 : 1)
