import type { Connected } from '../../../src/delegation/life/record.ts'
import type { LastingEngine } from './engines.ts'
import { delayIdOf, keyOf, PARTICIPANT_ID, SERVER_NAME } from './participants.ts'

const DELAY_MS = 3_600_000
const RESTART_EVERY_MS = 0.8 * DELAY_MS
const WRITERS = 64

/** A delegation in the midst of its life; those of many are due at evenly spread times. */
export function recordOf(index: number, count: number, now: number): Connected {
  const base = {
    ...keyOf(index),
    generation: `bench-${String(index).padStart(10, '0')}`,
    serverName: SERVER_NAME,
    delayId: delayIdOf(index),
    delayMs: DELAY_MS,
    acceptedAt: now - 10 * DELAY_MS,
  }
  const share = index / count
  const restartAt = Math.round(now + share * RESTART_EVERY_MS)
  return {
    ...base,
    state: 'connected',
    deadlineAt: Math.round(restartAt - RESTART_EVERY_MS + DELAY_MS),
    failures: 0,
    connectedAt: base.acceptedAt,
    participantId: PARTICIPANT_ID,
    restartAt,
    checkAt: Math.round(now + ((share + 0.5) % 1) * RESTART_EVERY_MS),
    checkFailures: 0,
  }
}

/** Writes delegations of one hour into a store, as a service leaves them that has run for long. */
export async function writeRecords(engine: LastingEngine, count: number): Promise<void> {
  const store = await engine.openStore()
  const now = Date.now()
  let next = 0
  async function write(): Promise<void> {
    while (next < count) {
      const index = next
      next += 1
      await store.put(recordOf(index, count, now))
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
  await store.close()
}
