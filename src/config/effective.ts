import type { Environment } from './reader.ts'
import { type Setting, variablesOf } from './setting.ts'
import { ALL_SETTINGS } from './settings.ts'

function shownValue(env: Environment, setting: Setting<unknown>): string {
  const given = variablesOf(setting).find((variable) => (env[variable] ?? '') !== '')
  if (setting.secret) return given === undefined ? 'not set' : 'set'
  return given === undefined ? `default: ${setting.defaultText}` : (env[given] ?? '')
}

/** The settings in force, by variable, with secrets shown only as set or not set. */
export function describeSettings(env: Environment): Record<string, string> {
  return Object.fromEntries(ALL_SETTINGS.map((each) => [each.name, shownValue(env, each)]))
}
