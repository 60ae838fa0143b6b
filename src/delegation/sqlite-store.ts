import type { Database } from 'bun:sqlite'
import { type Delegation, dueAt, type ParticipantKey } from './delegation.ts'
import { openDatabase, sqliteCode } from './sqlite-database.ts'
import {
  type Claim,
  type DelegationStore,
  leaseMs,
  type Notice,
  type Stored,
  StoreUnavailable,
} from './store.ts'
import { WakeListeners } from './wake-listeners.ts'

const SCAN_BATCH = 200

interface Row {
  readonly id: number
  readonly value: string
}

function toStored({ value }: Row): Stored {
  return { delegation: JSON.parse(value), text: value }
}

/** Keeps delegations in SQLite, in memory or in a file; for one process. */
export class SqliteStore implements DelegationStore {
  readonly #database: Database
  readonly #wake = new WakeListeners()
  readonly #statements: ReturnType<typeof prepareStatements>
  #beaten = false

  /**
   * @param path - a file, made where there is none; `:memory:` for none
   * @throws {StoreUnavailable} when the file cannot be used
   */
  constructor(path: string) {
    this.#database = openDatabase(path)
    this.#statements = prepareStatements(this.#database)
  }

  async put(delegation: Delegation): Promise<void> {
    const { room, identity } = delegation
    const due = Math.ceil(dueAt(delegation))
    this.#try(() => this.#statements.put.run(room, identity, due, JSON.stringify(delegation)))
    this.#wake.tell({ room, identity })
  }

  async find({ room, identity }: ParticipantKey): Promise<Stored | undefined> {
    const row = this.#try(() => this.#statements.find.get(room, identity))
    return row === null ? undefined : toStored(row)
  }

  async findInRoom(room: string): Promise<readonly Stored[]> {
    return this.#try(() => this.#statements.findInRoom.all(room)).map(toStored)
  }

  async claimDue(now: number, limit: number, maxLeaseMs: number): Promise<Claim> {
    const { due, lease, next } = this.#statements
    return this.#try(() => {
      return this.#database
        .transaction(() => {
          const claimed = due.all(now, limit).map((row) => {
            const stored = toStored(row)
            lease.run(now + leaseMs(stored.delegation.delayMs, maxLeaseMs), row.id)
            return stored
          })
          return { claimed, nextDueAt: next.get()?.due_at ?? undefined }
        })
        .immediate()
    })
  }

  async replace(stored: Stored, next: Delegation | undefined, notice: Notice): Promise<boolean> {
    const { room, identity } = stored.delegation
    const { remove, change, changeAtWork } = this.#statements
    const { changes } = this.#try(() => {
      if (next === undefined) return remove.run(room, identity, stored.text)
      const due = Math.ceil(dueAt(next))
      const value = JSON.stringify(next)
      if (notice !== 'keep-lease') return change.run(due, value, room, identity, stored.text)
      const formerDue = Math.ceil(dueAt(stored.delegation))
      return changeAtWork.run(formerDue, due, value, room, identity, stored.text)
    })
    if (changes > 0 && notice === 'wake') this.#wake.tell({ room, identity })
    return changes > 0
  }

  async postpone({ delegation, text }: Stored, at: number): Promise<void> {
    const { room, identity } = delegation
    this.#try(() => this.#statements.postpone.run(Math.ceil(at), room, identity, text))
  }

  async wakeAll(): Promise<void> {
    this.#wake.tell(undefined)
  }

  async scan(visit: (batch: readonly Stored[]) => Promise<void>): Promise<void> {
    let last = 0
    for (;;) {
      const rows = this.#try(() => this.#statements.page.all(last, SCAN_BATCH))
      const end = rows.at(-1)
      if (end === undefined) return
      last = end.id
      await visit(rows.map(toStored))
    }
  }

  async heartbeat(): Promise<boolean> {
    const beaten = this.#beaten
    this.#beaten = true
    return beaten
  }

  onWake(listener: (key: ParticipantKey | undefined) => void): () => void {
    return this.#wake.add(listener)
  }

  async close(): Promise<void> {
    // A statement that is left would keep the file open.
    for (const statement of Object.values(this.#statements)) statement.finalize()
    this.#database.close()
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw new StoreUnavailable(`SQLite failed (${sqliteCode(error)})`)
    }
  }
}

function prepareStatements(database: Database) {
  const columns = 'rowid AS id, value'
  const sameText = 'room = ? AND identity = ? AND value = ?'
  return {
    put: database.prepare<never, [string, string, number, string]>(
      `INSERT INTO delegation (room, identity, due_at, value) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET due_at = excluded.due_at, value = excluded.value`,
    ),
    find: database.prepare<Row, [string, string]>(
      `SELECT ${columns} FROM delegation WHERE room = ? AND identity = ?`,
    ),
    findInRoom: database.prepare<Row, [string]>(`SELECT ${columns} FROM delegation WHERE room = ?`),
    due: database.prepare<Row, [number, number]>(
      `SELECT ${columns} FROM delegation WHERE due_at <= ? ORDER BY due_at LIMIT ?`,
    ),
    lease: database.prepare<never, [number, number]>(
      'UPDATE delegation SET due_at = ? WHERE rowid = ?',
    ),
    next: database.prepare<{ due_at: number | null }, []>(
      'SELECT min(due_at) AS due_at FROM delegation',
    ),
    remove: database.prepare<never, [string, string, string]>(
      `DELETE FROM delegation WHERE ${sameText}`,
    ),
    change: database.prepare<never, [number, string, string, string, string]>(
      `UPDATE delegation SET due_at = ?, value = ? WHERE ${sameText}`,
    ),
    changeAtWork: database.prepare<never, [number, number, string, string, string, string]>(
      `UPDATE delegation SET due_at = CASE due_at WHEN ? THEN ? ELSE due_at END, value = ?
       WHERE ${sameText}`,
    ),
    postpone: database.prepare<never, [number, string, string, string]>(
      `UPDATE delegation SET due_at = ? WHERE ${sameText}`,
    ),
    page: database.prepare<Row, [number, number]>(
      `SELECT ${columns} FROM delegation WHERE rowid > ? ORDER BY rowid LIMIT ?`,
    ),
  }
}
