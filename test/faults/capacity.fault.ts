import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connected } from '../../src/delegation/life/record.ts'
import { type LastingEngine, sqliteFile } from '../bench/delegations/engines.ts'
import { delayIdOf, keyOf, PARTICIPANT_ID, SERVER_NAME } from '../bench/delegations/participants.ts'
import { restartPositions, timesByIndex } from '../bench/delegations/positions.ts'
import { createStage } from '../bench/delegations/stage.ts'
import { cpuSharesOf } from '../bench/delegations/steady.ts'

const COUNT = 4_000
const DELAY_MS = 3_000
const ANSWER_MS = 50
const WATCH_MS = 10 * DELAY_MS
const START_MS = 2_000

/** A delegation that is to be restarted at its share of the first two periods after the start. */
function recordOf(index: number, now: number): Connected {
  const restartAt = Math.round(now + START_MS + (index / COUNT) * 2 * 0.8 * DELAY_MS)
  return {
    ...keyOf(index),
    state: 'connected',
    generation: `capacity-${index}`,
    serverName: SERVER_NAME,
    delayId: delayIdOf(index),
    delayMs: DELAY_MS,
    acceptedAt: now,
    deadlineAt: restartAt + Math.round(0.2 * DELAY_MS),
    failures: 0,
    connectedAt: now,
    participantId: PARTICIPANT_ID,
    restartAt,
    checkAt: restartAt + DELAY_MS,
    checkFailures: 0,
  }
}

async function fill(engine: LastingEngine): Promise<void> {
  const store = await engine.openStore()
  const now = Date.now()
  for (let index = 0; index < COUNT; index += 1) await store.put(recordOf(index, now))
  await store.close()
}

test('keeps 4,000 delegations of one server with a delay of 3 s and 50 ms per restart', async () => {
  // What a slow disk costs is not what is measured.
  const folder = await mkdtemp(
    join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'test-capacity-'),
  )
  try {
    await using stage = await createStage(folder)
    await using engine = sqliteFile(folder)
    await stage.standIns.ask('reset')
    await stage.standIns.ask(ANSWER_MS)
    await fill(engine)
    await using service = await stage.start(engine)
    const { service: cpu } = await cpuSharesOf(service.pid, engine, () => Bun.sleep(WATCH_MS))
    const { restarts } = await stage.standIns.ask('times')
    const times = timesByIndex(restarts)
    const late = restartPositions(times, DELAY_MS).filter((position) => position > 1)
    process.stdout.write(
      `${((restarts.length * 1_000) / WATCH_MS).toFixed(0)} restarts a second, ` +
        `${(cpu * 100).toFixed(0)} % of a processor\n`,
    )
    expect(times.size).toBe(COUNT)
    expect(late).toEqual([])
    const seldom = [...times.values()].filter((of) => of.length < 9)
    expect(seldom).toEqual([])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 90_000)
