import { randomBytes } from 'node:crypto'
import type { Mending, RunScript } from './redis-mending.ts'
import { strings } from './redis-records.ts'
import { BEAT } from './redis-scripts.ts'
import type { DelegationStore } from './store.ts'

/** What {@link createUpkeep} needs. */
export interface UpkeepOptions {
  readonly run: RunScript
  readonly mending: Mending
  /** Called when the store came back empty or older than it was. */
  readonly onDataLost: () => Promise<unknown>
}

const COMPARE_EVERY_S = 60

/** Result of the last heartbeat. */
interface Known {
  readonly id: string
  readonly beats: number
}

function isLess(count: unknown, than: unknown): boolean {
  return Number(count) < Number(than)
}

/** Creates the heartbeat, which notices lost data and damaged indexes, and the mending of both. */
export function createUpkeep(options: UpkeepOptions): Pick<DelegationStore, 'heartbeat' | 'mend'> {
  const { run, mending, onDataLost } = options
  const replica = randomBytes(12).toString('hex')
  let known: Known | undefined
  let foreign = 0
  let countsAreWrong = false
  let compared = false

  return {
    async heartbeat() {
      const newId = randomBytes(12).toString('hex')
      const told = strings(await run(BEAT, [newId, COMPARE_EVERY_S, replica]))
      const [id = '', beats, seconds, microseconds, held, due, rooms, users, ...rest] = told
      const [isTime, replicas] = rest
      const before = known
      known = { id, beats: Number(beats) }
      const hasKeptData = before === undefined || (before.id === id && before.beats < known.beats)
      if (!hasKeptData) await onDataLost()
      const readable = Number(held) - foreign
      countsAreWrong = isLess(users, readable)
      // Promise: hash and indexes are compared at the start, once a minute and when their sizes differ.
      const isTorn = isLess(due, readable) || isLess(rooms, readable) || countsAreWrong
      return {
        time: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000),
        hasKeptData,
        needsMending: !compared || isTorn || isTime === '1',
        replicas: Number(replicas),
      }
    },

    async mend() {
      const { foreign: left, ...mended } = await mending.compare(countsAreWrong)
      foreign = left
      compared = true
      return mended
    },
  }
}
