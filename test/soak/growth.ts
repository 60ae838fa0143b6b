import { type Row, renderTable } from '../bench/table.ts'
import type { Levels } from './levels.ts'

/** How much more there may be in the end: a share of what there was, and so many; or how much in all. */
type Allowance = { readonly share: number; readonly more: number } | { readonly atMost: number }

/** What grew, and by how much. */
export interface Growth {
  readonly name: string
  readonly early: number
  readonly late: number
  readonly limit: number
}

const CODE = 'code and shapes'
/** What the runtime makes of a program while it runs: the more often, the more of it. */
const CODE_CLASS =
  /Structure|Executable|CodeBlock|RareData|PropertyTable|SymbolTable|Butterfly|GetterSetter|RegExp|^symbol$/

/** What everything else consists of; a leak shows in them too, but so does each compiled function. */
const BULK: Allowance = { share: 0.05, more: 300 }
const FEW: Allowance = { share: 0.05, more: 20 }
const ALLOWANCES: Readonly<Record<string, Allowance>> = {
  [CODE]: { share: 0.25, more: 1_000 },
  Function: BULK,
  JSLexicalEnvironment: BULK,
  Object: BULK,
  Array: BULK,
  // What is remembered of one member is half a dozen of them.
  string: { share: 0.05, more: 600 },
  'KiB of the heap': { share: 0.1, more: 512 },
  'files without connections': { share: 0, more: 2 },
  // The soak keeps some open for a while, to this replica and to its metrics.
  'connections of clients': { atMost: 16 },
  'connections to Redis': { share: 0, more: 0 },
  // The runtime keeps up to 64 idle ones, whatever the load was.
  'connections elsewhere': { atMost: 74 },
}

/** Shown even if they have not changed: a leak in the service ends up in one of them. */
const SHOWN = [
  'Timeout',
  'AbortSignal',
  'AbortController',
  'Promise',
  'Request',
  'Response',
  'Headers',
  'ReadableStream',
  'Map',
  'Set',
  'WeakMap',
  'Uint8Array',
  ...Object.keys(ALLOWANCES),
]

function withCodeAsOne(levels: Levels): Levels {
  const rest: Record<string, number> = { [CODE]: 0 }
  for (const [name, count] of Object.entries(levels)) {
    const group = CODE_CLASS.test(name) ? CODE : name
    rest[group] = (rest[group] ?? 0) + count
  }
  return rest
}

function limitOf(name: string, early: number): number {
  const allowance = ALLOWANCES[name] ?? FEW
  if ('atMost' in allowance) return allowance.atMost
  return Math.floor(early * (1 + allowance.share) + allowance.more)
}

/** Compares two readings of one process, thing by thing. */
export function compareLevels(before: Levels, after: Levels): readonly Growth[] {
  const [early, late] = [withCodeAsOne(before), withCodeAsOne(after)]
  const names = new Set([...SHOWN, ...Object.keys(early), ...Object.keys(late)])
  return [...names].map((name) => {
    const count = early[name] ?? 0
    return { name, early: count, late: late[name] ?? 0, limit: limitOf(name, count) }
  })
}

/** Those that grew more than they may. */
export function tooMuch(growths: readonly Growth[]): readonly Growth[] {
  return growths.filter(({ late, limit }) => late > limit)
}

/** A table of what matters, and of all that grew. */
export function renderGrowths(growths: readonly Growth[]): string {
  const shown = growths.filter(({ name, early, late }) => SHOWN.includes(name) || late > early + 5)
  const rows = shown.map(({ name, early, late, limit }): Row => {
    return [name, String(early), String(late), String(limit), late > limit ? 'GREW' : '']
  })
  return renderTable([['what', 'early', 'at the end', 'limit', ''], ...rows])
}
