import { parseJson } from '../../lib/json.ts'
import type { Delegation } from '../life/record.ts'

const TEXTS = ['room', 'identity', 'generation', 'serverName', 'delayId'] as const
const OPTIONAL_TEXTS = ['userId', 'clientApiUrl', 'participantId'] as const
const TIMES = ['delayMs', 'acceptedAt', 'deadlineAt', 'failures'] as const
const OPTIONAL_TIMES = ['absentSince', 'replacedAt', 'restartAt'] as const
const TIMES_BY_STATE: Readonly<Record<Delegation['state'], readonly string[]>> = {
  waiting: ['waitUntil', 'checkAt'],
  connected: ['connectedAt', 'restartAt', 'checkAt', 'checkFailures'],
  leaving: ['giveUpAt', 'sendAt'],
}
/** Half of what a date can be: the difference of two such times is a date as well. */
const MAX_TIME = 4e15

function isState(value: unknown): value is Delegation['state'] {
  return typeof value === 'string' && Object.hasOwn(TIMES_BY_STATE, value)
}

/** Lone surrogates are refused: they cannot be sent, and scripts cannot read them. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.isWellFormed()
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= MAX_TIME
}

/** Whether a value is a complete delegation with the right types. */
export function isDelegation(value: unknown): value is Delegation {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Readonly<Record<string, unknown>>
  if (!isState(record.state)) return false
  const times = [...TIMES, ...TIMES_BY_STATE[record.state]]
  return (
    TEXTS.every((name) => isText(record[name])) &&
    times.every((name) => isTime(record[name])) &&
    OPTIONAL_TEXTS.every((name) => record[name] === undefined || isText(record[name])) &&
    OPTIONAL_TIMES.every((name) => record[name] === undefined || isTime(record[name]))
  )
}

/** Parses a delegation; `undefined` if the text is none. */
export function parseDelegation(text: string): Delegation | undefined {
  const value = parseJson(text)
  return isDelegation(value) ? value : undefined
}
