import type { Database } from 'bun:sqlite'
import { type Delegation, dueAt, type ParticipantKey } from '../life/record.ts'
import { openDatabase, sqliteCode } from './sqlite-database.ts'
import { prepareStatements, type Statements, toStored } from './sqlite-statements.ts'
import { surveyRows } from './sqlite-survey.ts'
import {
  type Bounds,
  type Claim,
  type DelegationStore,
  type Heartbeat,
  keepsLease,
  leaseMs,
  type Mended,
  type Notice,
  type PutOutcome,
  type Stored,
  StoreUnavailable,
  type Survey,
  WakeListeners,
  wakes,
} from './store.ts'

const SCAN_BATCH = 200

function fail(error: unknown): never {
  throw new StoreUnavailable('store.file-failed', `SQLite failed (${sqliteCode(error)})`)
}

/** Store in SQLite, in memory or in a file, for one process. */
export class SqliteStore implements DelegationStore {
  readonly #database: Database
  readonly #wake = new WakeListeners()
  readonly #statements: Statements
  /** Unreadable records may exist: at the start, and after a claim met one. */
  #hasRuins = true

  /**
   * @param path - of the file, created if missing, or `:memory:`
   * @throws {StoreUnavailable} when the file cannot be used
   */
  constructor(path: string) {
    this.#database = openDatabase(path)
    this.#statements = prepareStatements(this.#database)
  }

  async put(delegation: Delegation, bounds?: Bounds): Promise<PutOutcome> {
    const outcome = this.#try(() => {
      return this.#database
        .transaction(() => {
          const excess = bounds === undefined ? undefined : this.#excess(delegation, bounds)
          if (excess === undefined) this.#write(delegation)
          return excess ?? 'stored'
        })
        .immediate()
    })
    const { room, identity } = delegation
    if (outcome === 'stored') this.#wake.tell({ room, identity })
    return outcome
  }

  async find({ room, identity }: ParticipantKey): Promise<Stored | undefined> {
    const row = this.#try(() => this.#statements.find.get(room, identity))
    return row === null ? undefined : toStored(row)[0]
  }

  async findInRoom(room: string): Promise<readonly Stored[]> {
    return this.#try(() => this.#statements.findInRoom.all(room)).flatMap(toStored)
  }

  async claimDue(now: number, limit: number, maxLeaseMs: number): Promise<Claim> {
    const { due, lease, next } = this.#statements
    return this.#try(() => {
      return this.#database
        .transaction(() => {
          const rows = due.all(now, limit)
          const claimed = rows.flatMap((row) => {
            const [stored] = toStored(row)
            lease.run(now + leaseMs(stored?.delegation.delayMs ?? 0, maxLeaseMs), row.id)
            return stored ?? []
          })
          this.#hasRuins ||= claimed.length < rows.length
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
      if (!keepsLease(notice)) return change.run(due, value, room, identity, stored.text)
      const formerDue = Math.ceil(dueAt(stored.delegation))
      return changeAtWork.run(formerDue, due, value, room, identity, stored.text)
    })
    if (changes > 0 && wakes(notice)) this.#wake.tell({ room, identity })
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
      await visit(rows.flatMap(toStored))
    }
  }

  async heartbeat(): Promise<Heartbeat> {
    return { time: undefined, hasKeptData: true, needsMending: this.#hasRuins }
  }

  async survey(now: number): Promise<Survey> {
    return surveyRows(this.#statements, now).catch(fail)
  }

  async mend(): Promise<Mended> {
    const { page, removeRow } = this.#statements
    let removed = 0
    let last = 0
    for (;;) {
      const rows = this.#try(() => page.all(last, SCAN_BATCH))
      const end = rows.at(-1)
      if (end === undefined) break
      last = end.id
      for (const { id } of rows.filter((row) => toStored(row).length === 0)) {
        removed += this.#try(() => removeRow.run(id)).changes
      }
    }
    this.#hasRuins = false
    return { indexed: 0, adopted: 0, removed }
  }

  async restore(delegation: Delegation): Promise<boolean> {
    const { acceptedAt, deadlineAt } = delegation
    return this.#try(() => {
      return this.#database
        .transaction(() => {
          const row = this.#statements.find.get(delegation.room, delegation.identity)
          const there = row === null ? undefined : toStored(row)[0]?.delegation
          if (there !== undefined && there.acceptedAt > acceptedAt) return false
          if (there?.acceptedAt === acceptedAt && there.deadlineAt >= deadlineAt) return false
          this.#write(delegation)
          return true
        })
        .immediate()
    })
  }

  onWake(listener: (key: ParticipantKey | undefined) => void): () => void {
    return this.#wake.add(listener)
  }

  async close(): Promise<void> {
    // An open statement would keep the file open.
    for (const statement of Object.values(this.#statements)) statement.finalize()
    this.#database.close()
  }

  #write(delegation: Delegation): void {
    const { room, identity, serverName, userId = '' } = delegation
    const due = Math.ceil(dueAt(delegation))
    const value = JSON.stringify(delegation)
    this.#statements.put.run(room, identity, serverName, userId, due, value)
  }

  #excess(delegation: Delegation, bounds: Bounds): Exclude<PutOutcome, 'stored'> | undefined {
    const { room, identity, serverName, userId = '' } = delegation
    const { userOf, countUser, countServer } = this.#statements
    const former = userOf.get(room, identity)
    if (former?.server_name === serverName && former.user_id === userId) return undefined
    const { perUser, perServer } = bounds
    if ((countUser.get(serverName, userId)?.count ?? 0) >= perUser) return 'user-full'
    if (perServer === undefined) return undefined
    return (countServer.get(serverName)?.count ?? 0) >= perServer ? 'server-full' : undefined
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      return fail(error)
    }
  }
}
