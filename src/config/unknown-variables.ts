import { distance } from 'fastest-levenshtein'
import { type Environment, isPresent, type SettingNote } from './reader.ts'
import { type Setting, variablesOf } from './setting.ts'
import { ALL_SETTINGS } from './settings.ts'

/** Variables that Kubernetes sets for services whose names start with `livekit`. */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?$/

const PREFIX = 'LIVEKIT_'
const MOST_PROPOSALS = 2

/** A name that an unknown one is compared with, and the variable that is then proposed. */
interface Candidate {
  readonly name: string
  readonly proposal: string
}

/** Deprecated names count as near, yet what replaces them is proposed. */
function candidatesOf(setting: Setting<unknown>): Candidate[] {
  const current = setting.replacedBy ?? setting.name
  const isDeprecated = (variable: string) =>
    setting.replacedBy !== undefined ||
    (setting.aliasesDeprecated && !variable.startsWith(setting.name))
  return [
    ...variablesOf(setting).map((name) => ({
      name,
      proposal: isDeprecated(name) ? current : name,
    })),
    ...setting.mistakenNames.map((name) => ({ name, proposal: current })),
  ]
}

const CANDIDATES = ALL_SETTINGS.flatMap(candidatesOf)

function wordsOf(name: string): string[] {
  return name
    .slice(PREFIX.length)
    .split('_')
    .filter((word) => word !== '')
}

function hasAllWords(candidate: string, words: readonly string[]): boolean {
  const present = wordsOf(candidate)
  return words.every((word) => present.includes(word))
}

/** Two letters may differ, or a third of a long name. */
function isTypo(candidate: string, name: string): boolean {
  const most = Math.max(2, Math.floor((name.length - PREFIX.length) / 3))
  return distance(candidate, name) <= most
}

/** The variables that were probably meant, the likeliest first; empty where nothing is near. */
function proposalsFor(name: string): string[] {
  const words = wordsOf(name)
  if (words.length === 0) return []
  const withoutFile = CANDIDATES.find((candidate) => name === `${candidate.name}_FROM_FILE`)
  if (withoutFile !== undefined) return [withoutFile.proposal]
  const nearestFirst = CANDIDATES.toSorted(
    (a, b) => distance(a.name, name) - distance(b.name, name),
  )
  const withAllWords = nearestFirst.filter((candidate) => hasAllWords(candidate.name, words))
  if (withAllWords.length > 0) {
    return [...new Set(withAllWords.map(({ proposal }) => proposal))].slice(0, MOST_PROPOSALS)
  }
  const beginning = nearestFirst.find((candidate) => name.startsWith(`${candidate.name}_`))
  const typo = nearestFirst.find((candidate) => isTypo(candidate.name, name))
  const nearest = typo ?? beginning
  return nearest === undefined ? [] : [nearest.proposal]
}

/** Says that a name means nothing, and which one was probably meant. */
export function unknownSetting(name: string): SettingNote {
  const proposals = proposalsFor(name.startsWith(PREFIX) ? name : PREFIX + name)
  const question = proposals.length === 0 ? '' : `; did you mean ${proposals.join(' or ')}?`
  const text = `is not a known setting${question}`
  return { setting: name, text, code: 'configuration.unknown-setting' }
}

/** Warnings about `LIVEKIT_*` variables that mean nothing: a typo otherwise goes unseen. */
export function unknownVariableWarnings(env: Environment): SettingNote[] {
  const known = ALL_SETTINGS.flatMap(variablesOf)
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .filter((name) => isPresent(env, name) && !SERVICE_LINK.test(name))
    .sort()
    .map(unknownSetting)
}
