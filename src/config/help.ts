import { type Environment, isPresent, type Setting, variablesOf } from './reader.ts'
import { ALL_SETTINGS, SETTINGS } from './settings.ts'

const COMMANDS = `Commands:
  serve          run the service (the default)
  healthcheck    ask the service on this machine whether it is healthy: exit code 0 or 1
  registration --url URL --server-name NAME
                 print a registration file for application-service mode, and what to do with it:
                 where the homeserver reaches this service, and the homeserver's server name
  dashboard      print a Grafana dashboard (JSON) of the metrics at LIVEKIT_METRICS_BIND
  alerts         print alerting rules for Prometheus (YAML)
  --help         this text
  --version      the version`

function aliasNote({ aliases, aliasesDeprecated }: Setting<unknown>): string[] {
  if (aliases.length === 0) return []
  return [`${aliasesDeprecated ? 'deprecated alias' : 'alias'} ${aliases.join(', ')}`]
}

function fileNote({ name, fromFile }: Setting<unknown>): string[] {
  return fromFile ? [`or a file named by ${name}_FROM_FILE`] : []
}

function describe(setting: Setting<unknown>): string {
  const notes = [...aliasNote(setting), ...fileNote(setting)].map((note) => `; ${note}`).join('')
  return `  ${setting.name}\n      ${setting.meaning}${notes}\n      default: ${setting.defaultText}`
}

/** The text of `--help`, made from the table that the settings are read by. */
export function helpText(version: string): string {
  return `jwt-service-ts ${version}: LiveKit access tokens for Matrix users

Usage: jwt-service [command]

${COMMANDS}

Settings, by environment variable (unset and empty are the same):

${Object.values(SETTINGS).map(describe).join('\n')}
  NODE_EXTRA_CA_CERTS
      a PEM file of further trusted root certificates
      default: none
`
}

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
