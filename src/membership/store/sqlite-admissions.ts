import type { Database } from 'bun:sqlite'
import type { ParticipantKey } from '../../delegation/life/record.ts'
import { openDatabase, sqliteCode } from '../../delegation/store/sqlite-database.ts'
import { StoreUnavailable } from '../../delegation/store/store.ts'
import type { Admission, AdmissionOutcome, AdmissionStore, ClaimedRooms } from './admissions.ts'

/** These tables stand beside that of delegations; a program that does not know them ignores them. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS admission (
    room TEXT NOT NULL,
    identity TEXT NOT NULL,
    matrix_room TEXT NOT NULL,
    user_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (room, identity)
  );
  CREATE INDEX IF NOT EXISTS admission_matrix_room ON admission (matrix_room);
  CREATE INDEX IF NOT EXISTS admission_user ON admission (user_id, expires_at);
  CREATE TABLE IF NOT EXISTS membership_check (
    matrix_room TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS membership_check_due ON membership_check (due_at);
`

interface Row {
  readonly room: string
  readonly identity: string
  readonly matrix_room: string
  readonly user_id: string
  readonly expires_at: number
}

function prepare(database: Database) {
  return {
    count: database.prepare<{ count: number }, [string, number, string, string]>(
      `SELECT count(*) AS count FROM admission
       WHERE user_id = ? AND expires_at > ? AND NOT (room = ? AND identity = ?)`,
    ),
    put: database.prepare<never, [string, string, string, string, number]>(
      `INSERT INTO admission (room, identity, matrix_room, user_id, expires_at)
       VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET matrix_room = excluded.matrix_room, user_id = excluded.user_id,
         expires_at = max(expires_at, excluded.expires_at)`,
    ),
    remove: database.prepare<never, [string, string, number]>(
      'DELETE FROM admission WHERE room = ? AND identity = ? AND expires_at = ?',
    ),
    schedule: database.prepare<never, [string, number]>(
      'INSERT INTO membership_check (matrix_room, due_at) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ),
    find: database.prepare<{ matrix_room: string }, [string, string, number]>(
      'SELECT matrix_room FROM admission WHERE room = ? AND identity = ? AND expires_at > ?',
    ),
    forget: database.prepare<never, [string, number]>(
      'DELETE FROM admission WHERE matrix_room = ? AND expires_at <= ?',
    ),
    inRoom: database.prepare<Row, [string]>('SELECT * FROM admission WHERE matrix_room = ?'),
    due: database.prepare<{ matrix_room: string }, [number, number]>(
      'SELECT matrix_room FROM membership_check WHERE due_at <= ? ORDER BY due_at LIMIT ?',
    ),
    lease: database.prepare<never, [number, string]>(
      'UPDATE membership_check SET due_at = ? WHERE matrix_room = ?',
    ),
    next: database.prepare<{ due_at: number | null }, []>(
      'SELECT min(due_at) AS due_at FROM membership_check',
    ),
    reschedule: database.prepare<never, [number, number, number, string]>(
      `UPDATE membership_check
       SET due_at = CASE due_at WHEN ? THEN ? ELSE min(due_at, ?) END WHERE matrix_room = ?`,
    ),
    unschedule: database.prepare<never, [string, string]>(
      `DELETE FROM membership_check WHERE matrix_room = ?
       AND NOT EXISTS (SELECT 1 FROM admission WHERE matrix_room = ?)`,
    ),
  }
}

function toAdmission({ room, identity, matrix_room, user_id, expires_at }: Row): Admission {
  return { room, identity, matrixRoom: matrix_room, userId: user_id, expiresAt: expires_at }
}

/** Remembers tokens in SQLite, in memory or in a file, for one process. */
export class SqliteAdmissions implements AdmissionStore {
  readonly #database: Database
  readonly #statements: ReturnType<typeof prepare>

  /**
   * @param path - of the file, created if missing, or `:memory:`
   * @throws {StoreUnavailable} when the file cannot be used
   */
  constructor(path: string) {
    this.#database = openDatabase(path)
    this.#statements = this.#try(() => {
      this.#database.run(SCHEMA)
      return prepare(this.#database)
    })
  }

  async put(
    admission: Admission,
    perUser: number,
    now: number,
    firstCheckAt: number,
  ): Promise<AdmissionOutcome> {
    const { room, identity, matrixRoom, userId, expiresAt } = admission
    const { count, find, put, schedule } = this.#statements
    return this.#transaction(() => {
      const others = count.get(userId, now, room, identity)?.count ?? 0
      if (others >= perUser) return 'user-full'
      const isRenewed = find.get(room, identity, now) !== null
      put.run(room, identity, matrixRoom, userId, Math.ceil(expiresAt))
      schedule.run(matrixRoom, Math.ceil(firstCheckAt))
      return isRenewed ? 'renewed' : 'stored'
    })
  }

  async forget({ room, identity, expiresAt }: Admission): Promise<void> {
    this.#try(() => this.#statements.remove.run(room, identity, Math.ceil(expiresAt)))
  }

  async matrixRoomOf({ room, identity }: ParticipantKey, now: number): Promise<string | undefined> {
    return this.#try(() => this.#statements.find.get(room, identity, now)?.matrix_room)
  }

  async admissionsIn(matrixRoom: string, now: number): Promise<readonly Admission[]> {
    const { forget, inRoom } = this.#statements
    return this.#transaction(() => {
      forget.run(matrixRoom, now)
      return inRoom.all(matrixRoom).map(toAdmission)
    })
  }

  async claimDue(now: number, limit: number, leaseUntil: number): Promise<ClaimedRooms> {
    const { due, lease, next } = this.#statements
    return this.#transaction(() => {
      const rooms = due.all(now, limit).map(({ matrix_room }) => matrix_room)
      for (const matrixRoom of rooms) lease.run(leaseUntil, matrixRoom)
      return { rooms, nextDueAt: next.get()?.due_at ?? undefined }
    })
  }

  async claim(matrixRoom: string, leaseUntil: number): Promise<void> {
    this.#try(() => this.#statements.lease.run(leaseUntil, matrixRoom))
  }

  async reschedule(matrixRoom: string, leaseUntil: number, at: number): Promise<void> {
    const { reschedule, unschedule } = this.#statements
    this.#transaction(() => {
      reschedule.run(leaseUntil, Math.ceil(at), Math.ceil(at), matrixRoom)
      unschedule.run(matrixRoom, matrixRoom)
    })
  }

  async close(): Promise<void> {
    // An open statement would keep the file open.
    for (const statement of Object.values(this.#statements)) statement.finalize()
    this.#database.close()
  }

  #transaction<T>(work: () => T): T {
    return this.#try(() => this.#database.transaction(work).immediate())
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw new StoreUnavailable('store.file-failed', `SQLite failed (${sqliteCode(error)})`)
    }
  }
}
