import type { Trouble } from './trouble.ts'
import { visibleJson, visibleText } from './visible-text.ts'

/** How much is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a log line says beside its message. `undefined` fields are left out. */
export interface LogFields {
  readonly [name: string]: string | number | boolean | undefined | object
  /** What every line has of its own. */
  readonly time?: never
  readonly level?: never
  readonly message?: never
  /** Written as `cause`, `code` and `remedy`. */
  readonly trouble?: Trouble | undefined
}

/** Writes log lines. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** Settings of {@link createLogger}. */
export interface LoggerOptions {
  /** The least important level that is written. */
  readonly level: LogLevel
  readonly format: 'pretty' | 'json'
  /** Whether pretty lines have colours; true unless given. */
  readonly colours?: boolean | undefined
  /** What the operator can do about a trouble, if anything. */
  readonly remedyFor?: ((trouble: Trouble) => string | undefined) | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Takes one line, its newline included, and its level. */
  readonly write: (line: string, level: LogLevel) => void
}

/** Names of others are in it, and a list of what was tried; in a remedy, their addresses. */
const MAX_CAUSE = 1_000
const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }
const GREY = 90
const COLOUR: Readonly<Record<LogLevel, number>> = { debug: 90, info: 32, warn: 33, error: 31 }

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const head = JSON.stringify({ time, level, message }).slice(0, -1)
  const rest = JSON.stringify(fields)
  return visibleJson(rest === '{}' ? `${head}}\n` : `${head},${rest.slice(1)}\n`)
}

function prettyValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\w.:/*@!+()-]+$/.test(text) ? text : visibleText(JSON.stringify(value))
}

/** What people look for first, and what only serves to find other lines by. */
const FIRST = ['status', 'server_name', 'step', 'cause', 'remedy']
const LAST = ['code', 'room', 'identity', 'delay_id', 'request_id']

function rankOf(key: string): number {
  if (FIRST.includes(key)) return FIRST.indexOf(key) - FIRST.length
  return LAST.indexOf(key) + 1
}

function inColour(colour: number, text: string): string {
  return `\u001b[${colour}m${text}\u001b[0m`
}

type LineFormat = (time: string, level: LogLevel, message: string, fields: LogFields) => string

function prettyFormat(paint: typeof inColour): LineFormat {
  return function prettyLine(time, level, message, fields) {
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .toSorted(([a], [b]) => rankOf(a) - rankOf(b))
      .map(([key, value]) => ` ${paint(GREY, `${key}=`)}${prettyValue(value)}`)
    return `${time} ${paint(COLOUR[level], level.padEnd(5))} ${message}${pairs.join('')}\n`
  }
}

/** Makes a logger that writes one line for each event. */
export function createLogger(options: LoggerOptions): Logger {
  const { level: least, format, colours = true, remedyFor = () => undefined, now, write } = options
  const pretty = prettyFormat(colours ? inColour : (_, text) => text)
  const line = format === 'json' ? jsonLine : pretty

  function expanded(fields: LogFields): LogFields {
    const { trouble } = fields
    if (trouble === undefined) return fields
    const { code, found } = trouble
    return {
      ...fields,
      trouble: undefined,
      cause: found.slice(0, MAX_CAUSE),
      code,
      remedy: remedyFor(trouble)?.slice(0, MAX_CAUSE),
    }
  }

  function at(level: LogLevel) {
    if (RANK[level] < RANK[least]) return () => {}
    return (message: string, fields: LogFields = {}) => {
      write(line(new Date(now()).toISOString(), level, message, expanded(fields)), level)
    }
  }

  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
