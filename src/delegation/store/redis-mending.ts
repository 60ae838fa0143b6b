import type { Delegation } from '../life/record.ts'
import { dueAt } from '../life/record.ts'
import { adopt } from './redis-adoption.ts'
import { fieldOf, pairs, readEntry, strings, toText, userEntriesOf } from './redis-records.ts'
import { COMPARE, INDEX, PRUNE, REPLACE, RESTORE, type Script, UNINDEX } from './redis-scripts.ts'
import type { Mended, Stored } from './store.ts'

/** Runs a script on the keys of all scripts. */
export type RunScript = (script: Script, args: readonly (string | number)[]) => Promise<unknown>

/** What mending needs. */
export interface MendingOptions {
  readonly run: RunScript
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly newGeneration: () => string
}

/** What became of an entry that was found out of place. */
export type Treatment =
  | { readonly kind: 'adopted'; readonly stored: Stored }
  | { readonly kind: 'indexed' | 'removed' | 'foreign' | 'nothing' }

/** Sets right what other programs, evictions and mishaps have done to the hash and its indexes. */
export interface Mending {
  /** Sees to one entry that cannot be worked on as it is. */
  treat(field: string, text: string): Promise<Treatment>
  /** Puts a delegation where nothing newer is; tells whether it was done. */
  restore(delegation: Delegation): Promise<boolean>
  /**
   * Compares the hash with its indexes.
   *
   * @param everyone - also those that seem to be in place: somebody is not counted
   */
  compare(everyone: boolean): Promise<Mended & { readonly foreign: number }>
}

const BATCH = 500
/** Whatever is there counts as newer. */
const BEFORE_ALL = -1

/** Makes what mends the hash and its indexes. Every call does nothing to what has changed meanwhile. */
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

  /** Go escapes more characters in JSON than is needed, and so may have written another field. */
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
