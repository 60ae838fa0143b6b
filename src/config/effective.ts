import { type Environment, isPresent } from './reader.ts'
import { type Setting, variablesOf } from './setting.ts'
import { ALL_SETTINGS } from './settings.ts'

function shownValue(env: Environment, setting: Setting<unknown>): string {
  const given = variablesOf(setting).find((variable) => isPresent(env, variable))
  if (setting.secret) return given === undefined ? 'not set' : 'set'
  const text = given === undefined ? '' : (env[given] ?? '')
  const parsed = setting.parse(text)
  // A text that was not taken as it is may be anything, a misplaced secret included.
  const taken = given !== undefined && parsed.ok && parsed.warning === undefined
  return taken ? text : `default: ${setting.defaultText}`
}

/** The settings in force, by variable, with secrets shown only as set or not set. */
export function describeSettings(env: Environment): Record<string, string> {
  return Object.fromEntries(ALL_SETTINGS.map((each) => [each.name, shownValue(env, each)]))
}
