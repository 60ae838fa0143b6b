import { Database } from 'bun:sqlite'
import { chmodSync, existsSync } from 'node:fs'
import { errorCode } from '../../lib/error-code.ts'
import type { Trouble } from '../../trouble.ts'
import { stateFileObstacle } from './state-file.ts'
import { type StoreCode, StoreUnavailable } from './store.ts'

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

const NEWER = 'store.file-newer-version'
const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100
const USER_VERSION_AT = 60

function newerText(version: number): string {
  return `the file has schema version ${version}, and this program knows versions up to ${SCHEMA_VERSION}`
}

function versionOf(database: Database): number {
  const found = database.query<{ user_version: number }, []>('PRAGMA user_version').get()
  return found?.user_version ?? 0
}

function prepareSchema(database: Database): void {
  const version = versionOf(database)
  if (version > SCHEMA_VERSION) {
    throw new StoreUnavailable(NEWER, newerText(version))
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

/**
 * What is wrong with a state file, by its first 100 bytes; `undefined` if it looks usable. An empty file
 * is an empty database.
 *
 * @see https://www.sqlite.org/fileformat.html#the_database_header
 */
export function headerTrouble(path: string, header: Buffer): Trouble<StoreCode> | undefined {
  if (header.length === 0) return undefined
  if (header.length < HEADER_BYTES || !header.toString('latin1').startsWith(MAGIC)) {
    return { code: 'store.file-no-database', found: `${path} is no SQLite database` }
  }
  const version = header.readUInt32BE(USER_VERSION_AT)
  return version <= SCHEMA_VERSION ? undefined : { code: NEWER, found: newerText(version) }
}

/** The file holds delay IDs, which are secrets. SQLite gives new `-wal` and `-shm` files the same mode. */
function keepPrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file)) chmodSync(file, 0o600)
  }
}

function notOpened(path: string, code: string): StoreUnavailable {
  if (code === 'SQLITE_NOTADB') {
    return new StoreUnavailable('store.file-no-database', `${path} is no SQLite database (${code})`)
  }
  // SQLite does not say which path lacks what.
  const obstacle = path === IN_MEMORY ? undefined : stateFileObstacle(path)
  if (obstacle !== undefined) return new StoreUnavailable('store.file-unusable', obstacle)
  const found = `${path} cannot be opened (${code})`
  if (code !== 'SQLITE_CANTOPEN' && code !== 'SQLITE_READONLY') {
    return new StoreUnavailable('store.file-failed', found)
  }
  return new StoreUnavailable('store.file-unusable', `${found} by user ${process.getuid?.()}`)
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
