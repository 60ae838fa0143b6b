/**
 * Measures a scrape of `/metrics` while 100,000 delegations are held: how long it takes, and for how long
 * it keeps the event loop from everything else. `bun test/bench/scrape.ts`
 */

import { assembleOperation, watchSfu } from '../../src/app/assemble-operation.ts'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import type { DelegationStore } from '../../src/delegation/store/store.ts'
import { ServerSlots } from '../../src/delegation/work/server-slots.ts'
import { Gate } from '../../src/lib/gate.ts'
import { createPrometheusMetrics } from '../../src/prometheus.ts'
import { redis } from './delegations/engines.ts'
import { recordOf } from './delegations/records.ts'
import { percentile } from './statistics.ts'

const HELD = 100_000
const SCRAPES = 200
const WARM_UP = 20
const PAUSE_MS = 10
const WRITERS = 64
const AIM_MS = { scrape: 50, block: 10 } as const

const ROUTES = ['/get_token', '/sfu/get', '/delegate_delayed_leave', '/sfu_webhook', '/healthz']
const OUTCOMES = ['ok', 'M_UNAUTHORIZED', 'M_BAD_JSON', 'M_LIMIT_EXCEEDED', 'M_UNKNOWN']

async function fill(store: DelegationStore): Promise<void> {
  const now = Date.now()
  let next = 0
  async function write(): Promise<void> {
    while (next < HELD) {
      const index = next
      next += 1
      await store.put(recordOf(index, HELD, now))
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
}

function operationOf(store: DelegationStore) {
  const metrics = createPrometheusMetrics('0.0.0-bench')
  for (const route of ROUTES) {
    for (const outcome of OUTCOMES) metrics.noteRequest(route, outcome, 0.01)
  }
  for (const operation of ['put', 'find', 'find-in-room', 'claim', 'replace', 'heartbeat']) {
    metrics.noteStoreCall(operation, true, 0.001)
  }
  const idle = { run: Promise.reject, usage: () => ({ running: 0, waiting: 0 }) }
  return assembleOperation({
    metrics,
    store,
    worker: { status: { replicas: 1, turnedAt: Date.now() } },
    health: { isAway: () => false },
    servers: new ServerSlots(1),
    gates: { verifications: idle, locations: idle },
    creationGate: new Gate({ perKey: 1, total: 1, maxWaiting: 1 }),
    applicationService: undefined,
    sfu: watchSfu(),
    rooms: { check: async () => {} },
    isShuttingDown: () => false,
    now: Date.now,
  })
}

/** Watches for how long nothing else gets its turn while `work` goes on; milliseconds. */
async function longestBlock(work: () => Promise<void>): Promise<number> {
  let longest = 0
  let last = performance.now()
  let isOver = false
  async function watch(): Promise<void> {
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve))
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
  }
  const watching = watch()
  await work()
  isOver = true
  await watching
  return longest
}

function shown(name: string, values: readonly number[], aim: number): string {
  const figures = [0.5, 0.99, 1].map((p) => percentile(values, p).toFixed(1).padStart(6))
  const verdict = percentile(values, 0.99) <= aim ? 'met' : 'MISSED'
  return `  ${name.padEnd(28)} ${figures.join(' ')}   (aim ${aim}, ${verdict})\n`
}

async function measure(name: string, store: DelegationStore): Promise<void> {
  await fill(store)
  const operation = operationOf(store)
  const tookMs: number[] = []
  const blockedMs: number[] = []
  for (let scrape = -WARM_UP; scrape < SCRAPES; scrape += 1) {
    await Bun.sleep(PAUSE_MS)
    let took = 0
    const blocked = await longestBlock(async () => {
      const startedAt = performance.now()
      const response = await operation.fetch(new Request('http://localhost/metrics'))
      const text = await response.text()
      took = performance.now() - startedAt
      if (!text.includes('jwt_service_delegations{state="connected"} 100000')) {
        throw new Error(`not all delegations are held:\n${text}`)
      }
    })
    if (scrape < 0) continue
    tookMs.push(took)
    blockedMs.push(blocked)
  }
  process.stdout.write(
    `${name}: ${HELD.toLocaleString('en')} delegations, ${SCRAPES} scrapes; p50, p99, max in ms\n` +
      shown('a scrape takes', tookMs, AIM_MS.scrape) +
      shown('blocks the event loop for', blockedMs, AIM_MS.block),
  )
}

const memory = new SqliteStore(':memory:')
await measure('SQLite, memory', memory)
await memory.close()
await using engine = await redis()
const shared = await engine.openStore()
await measure('Redis', shared)
await shared.close()
