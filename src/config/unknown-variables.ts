import { type Environment, isPresent, variablesOf } from './reader.ts'
import { ALL_SETTINGS } from './settings.ts'

/** Variables that Kubernetes sets for services whose names start with `livekit`. */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?$/

/** How many letters must be added, removed or replaced to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((each) => ({ each, distance: editDistance(name, each) }))
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).each
}

/** Warnings about `LIVEKIT_*` variables that mean nothing: a typo otherwise goes unseen. */
export function unknownVariableWarnings(env: Environment): string[] {
  const known = ALL_SETTINGS.flatMap(variablesOf)
  return Object.keys(env)
    .filter((name) => name.startsWith('LIVEKIT_') && !known.includes(name))
    .filter((name) => isPresent(env, name) && !SERVICE_LINK.test(name))
    .sort()
    .map((name) => `${name}: is not a known setting; did you mean ${nearest(name, known)}?`)
}
