import { Database } from 'bun:sqlite'
import { chmodSync, existsSync } from 'node:fs'
import { errorCode } from '../../lib/error-code.ts'
import { StoreUnavailable } from './store.ts'

const SCHEMA_VERSION = 2

/** SQLite's path for a database without a file. */
export const IN_MEMORY = ':memory:'

const SCHEMA = `
  CREATE TABLE delegation (
    room TEXT NOT NULL,
    identity TEXT NOT NULL,
    server_name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (room, identity)
  );
  CREATE INDEX delegation_due ON delegation (due_at);
  CREATE INDEX delegation_user ON delegation (server_name, user_id);
`

/** Upgrade from version 1, which had no columns for server and user. */
const UPGRADE = `
  ALTER TABLE delegation ADD COLUMN server_name TEXT NOT NULL DEFAULT '';
  ALTER TABLE delegation ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
  UPDATE delegation SET server_name = coalesce(json_extract(value, '$.serverName'), '')
    WHERE json_valid(value);
  CREATE INDEX delegation_user ON delegation (server_name, user_id);
`

/** The code of an SQLite error, such as `SQLITE_CANTOPEN`. */
export function sqliteCode(error: unknown): string {
  return errorCode(error, error instanceof Error ? error.name : 'unknown error')
}

function versionOf(database: Database): number {
  const found = database.query<{ user_version: number }, []>('PRAGMA user_version').get()
  return found?.user_version ?? 0
}

function prepareSchema(database: Database): void {
  const version = versionOf(database)
  if (version > SCHEMA_VERSION) {
    throw new StoreUnavailable(
      'store.file-newer-version',
      `the file has schema version ${version}, and this program knows versions up to ${SCHEMA_VERSION}`,
    )
  }
  if (version === SCHEMA_VERSION) return
  const create = database.transaction(() => {
    // Another process may have created it meanwhile.
    const found = versionOf(database)
    if (found === SCHEMA_VERSION) return
    database.run(found === 0 ? SCHEMA : UPGRADE)
    database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`)
  })
  create.immediate()
}

/** The file holds delay IDs, which are secrets. SQLite gives new `-wal` and `-shm` files the same mode. */
function keepPrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file)) chmodSync(file, 0o600)
  }
}

function notOpened(path: string, code: string): StoreUnavailable {
  const found = `${path} cannot be opened (${code})`
  if (code === 'SQLITE_NOTADB') {
    return new StoreUnavailable('store.file-no-database', `${path} is no SQLite database (${code})`)
  }
  if (code !== 'SQLITE_CANTOPEN' && code !== 'SQLITE_READONLY') {
    return new StoreUnavailable('store.file-failed', found)
  }
  const user = process.getuid?.()
  return new StoreUnavailable('store.file-unusable', `${found} by user ${user}`)
}

/**
 * Opens the database, creating it if needed, readable by this user alone.
 *
 * @param path - a file, or {@link IN_MEMORY}
 * @throws {StoreUnavailable} when the file cannot be used; it is left unchanged
 */
export function openDatabase(path: string): Database {
  let database: Database | undefined
  try {
    database = new Database(path, { create: true, strict: true })
    database.run('PRAGMA busy_timeout = 2000')
    prepareSchema(database)
    if (path !== IN_MEMORY) keepPrivate(path)
    database.run('PRAGMA journal_mode = WAL')
    // Promise: a crash of the process loses nothing; one of the machine may lose the last moments.
    database.run('PRAGMA synchronous = NORMAL')
    return database
  } catch (error) {
    database?.close()
    if (error instanceof StoreUnavailable) throw error
    throw notOpened(path, sqliteCode(error))
  }
}
