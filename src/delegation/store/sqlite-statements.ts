import type { Database } from 'bun:sqlite'
import { parseDelegation } from './records.ts'
import type { Stored } from './store.ts'

/** A stored delegation. */
export interface Row {
  readonly id: number
  /** The delegation as JSON. */
  readonly value: string
}

/** The delegation in a row, as a list of one; empty if the row is unreadable. */
export function toStored({ value }: Row): Stored[] {
  const delegation = parseDelegation(value)
  return delegation === undefined ? [] : [{ delegation, text: value }]
}

/** Whose delegation it is. */
export interface UserRow {
  readonly server_name: string
  readonly user_id: string
}

/** All statements of a store. */
export type Statements = ReturnType<typeof prepareStatements>

/** Prepares the statements of a store; each must be finalised before the database is closed. */
export function prepareStatements(database: Database) {
  const columns = 'rowid AS id, value'
  const sameText = 'room = ? AND identity = ? AND value = ?'
  return {
    put: database.prepare<never, [string, string, string, string, number, string]>(
      `INSERT INTO delegation (room, identity, server_name, user_id, due_at, value)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET server_name = excluded.server_name, user_id = excluded.user_id,
         due_at = excluded.due_at, value = excluded.value`,
    ),
    userOf: database.prepare<UserRow, [string, string]>(
      'SELECT server_name, user_id FROM delegation WHERE room = ? AND identity = ?',
    ),
    countUser: database.prepare<{ count: number }, [string, string]>(
      'SELECT count(*) AS count FROM delegation WHERE server_name = ? AND user_id = ?',
    ),
    countServer: database.prepare<{ count: number }, [string]>(
      'SELECT count(*) AS count FROM delegation WHERE server_name = ?',
    ),
    removeRow: database.prepare<never, [number]>('DELETE FROM delegation WHERE rowid = ?'),
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
    count: database.prepare<{ total: number; due: number }, [number]>(
      `SELECT (SELECT count(*) FROM delegation) AS total,
         (SELECT count(*) FROM delegation WHERE due_at <= ?) AS due`,
    ),
    lastRow: database.prepare<{ id: number | null }, []>('SELECT max(rowid) AS id FROM delegation'),
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
