import { parseJson } from '../../lib/json.ts'
import type { Delegation } from '../life/record.ts'

const TEXTS = ['room', 'identity', 'generation', 'serverName', 'delayId'] as const
const TIMES = ['delayMs', 'acceptedAt', 'deadlineAt', 'failures'] as const
const TIMES_BY_STATE: Readonly<Record<Delegation['state'], readonly string[]>> = {
  waiting: ['waitUntil', 'checkAt'],
  connected: ['connectedAt', 'restartAt', 'checkAt', 'checkFailures'],
  leaving: ['giveUpAt', 'sendAt'],
}

function isState(value: unknown): value is Delegation['state'] {
  return typeof value === 'string' && Object.hasOwn(TIMES_BY_STATE, value)
}

/** Half a surrogate pair is no text: it can neither be sent nor be read by scripts. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.isWellFormed()
}

/** Tells whether a value is a delegation, complete and of the right types. */
export function isDelegation(value: unknown): value is Delegation {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Readonly<Record<string, unknown>>
  if (!isState(record.state)) return false
  const times = [...TIMES, ...TIMES_BY_STATE[record.state]]
  return (
    TEXTS.every((name) => isText(record[name])) &&
    times.every((name) => Number.isFinite(record[name]))
  )
}

/** The delegation that a text holds, or `undefined` when it holds none. */
export function parseDelegation(text: string): Delegation | undefined {
  const value = parseJson(text)
  return isDelegation(value) ? value : undefined
}
