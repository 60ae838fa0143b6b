import type { Delegation } from '../life/record.ts'
import { dueAt } from '../life/record.ts'
import { adopt } from './redis-adoption.ts'
import type { Script } from './redis-eval.ts'
import { fieldOf, pairs, readEntry, strings, toText, userEntriesOf } from './redis-records.ts'
import { COMPARE, INDEX, PRUNE, REPLACE, RESTORE, UNINDEX } from './redis-scripts.ts'
import type { Mended, Stored } from './store.ts'

/** Runs a script with the keys that all scripts share. */
export type RunScript = (script: Script, args: readonly (string | number)[]) => Promise<unknown>

/** Options of {@link createMending}. */
export interface MendingOptions {
  readonly run: RunScript
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly newGeneration: () => string
}

/** What was done about an entry that was out of place. */
export type Treatment =
  | { readonly kind: 'adopted'; readonly stored: Stored }
  | { readonly kind: 'indexed' | 'removed' | 'foreign' | 'nothing' }

/** Repairs the hash and its indexes after other programs, evictions or failovers. */
export interface Mending {
  /** Repairs one entry. */
  treat(field: string, text: string): Promise<Treatment>
  /** Writes a delegation unless a newer one is there; returns whether it did. */
  restore(delegation: Delegation): Promise<boolean>
  /**
   * Compares the hash with its indexes.
   *
   * @param everyone - also check entries that look intact, since a user index entry is missing somewhere
   */
  compare(everyone: boolean): Promise<Mended & { readonly foreign: number }>
}

const BATCH = 500
/** Older than any delegation: never overwrites one. */
const BEFORE_ALL = -1

/** Creates {@link Mending}. No call overwrites what has changed meanwhile. */
export function createMending({ run, now, newGeneration }: MendingOptions): Mending {
  async function index({ delegation, text }: Stored): Promise<'done' | 'in place' | 'gone'> {
    const { member } = userEntriesOf(delegation)
    const args = [fieldOf(delegation), text, Math.ceil(dueAt(delegation)), member]
    const outcome = await run(INDEX, args)
    if (outcome === 0) return 'gone'
    return outcome === 1 ? 'done' : 'in place'
  }

  function remove(field: string, text: string): Promise<unknown> {
    return run(REPLACE, [field, text, '', 0, '', '', ''])
  }

  async function putUnlessNewer(delegation: Delegation, acceptedAt: number): Promise<boolean> {
    const { member, nobody } = userEntriesOf(delegation)
    const { deadlineAt } = delegation
    const due = Math.ceil(dueAt(delegation))
    const args = [fieldOf(delegation), toText(delegation), due, member, nobody]
    return (await run(RESTORE, [...args, acceptedAt, deadlineAt])) === 1
  }

  const restore = (delegation: Delegation) => putUnlessNewer(delegation, delegation.acceptedAt)

  /** Go escapes more characters in JSON, so its field may differ from ours: moves the entry. */
  async function move(field: string, text: string, adopted: Delegation): Promise<Treatment> {
    await remove(field, text)
    if (!(await putUnlessNewer(adopted, BEFORE_ALL))) return { kind: 'nothing' }
    return { kind: 'adopted', stored: { delegation: adopted, text: toText(adopted) } }
  }

  async function takeOver(field: string, text: string, adopted: Delegation): Promise<Treatment> {
    if (fieldOf(adopted) !== field) return move(field, text, adopted)
    const value = toText(adopted)
    const due = Math.ceil(dueAt(adopted))
    if ((await run(REPLACE, [field, text, value, due, '', '', ''])) !== 1)
      return { kind: 'nothing' }
    const stored = { delegation: adopted, text: value }
    return (await index(stored)) === 'gone' ? { kind: 'nothing' } : { kind: 'adopted', stored }
  }

  async function treat(field: string, text: string): Promise<Treatment> {
    const entry = readEntry(text)
    if (entry.kind === 'ours') {
      return { kind: (await index(entry.stored)) === 'done' ? 'indexed' : 'nothing' }
    }
    if (entry.kind === 'broken') {
      await remove(field, text)
      return { kind: 'removed' }
    }
    const adopted = adopt(entry.value, now(), newGeneration())
    if (adopted === undefined) {
      await run(UNINDEX, [field])
      return { kind: 'foreign' }
    }
    if (adopted !== 'expired') return takeOver(field, text, adopted)
    await remove(field, text)
    return { kind: 'nothing' }
  }

  async function pruneUsers(): Promise<void> {
    let cursor = '0'
    do cursor = String(await run(PRUNE, [cursor, BATCH]))
    while (cursor !== '0')
  }

  return {
    treat,
    restore,
    async compare(everyone) {
      const count = { indexed: 0, adopted: 0, removed: 0, foreign: 0, nothing: 0 }
      let cursor = '0'
      do {
        const page = await run(COMPARE, [cursor, BATCH, everyone ? 1 : 0])
        const [next, found] = Array.isArray(page) ? page : ['0', []]
        cursor = String(next)
        for (const [field, text] of pairs(strings(found))) {
          count[(await treat(field, text)).kind] += 1
        }
      } while (cursor !== '0')
      await pruneUsers()
      const { indexed, adopted, removed, foreign } = count
      return { indexed, adopted, removed, foreign }
    },
  }
}
