import { type Environment, isPresent, type SettingNote } from './reader.ts'
import { type Setting, type SettingGuide, variablesOf } from './setting.ts'
import { ALL_SETTINGS, GUIDE_GROUPS, type GuideGroup } from './settings.ts'
import { unknownSetting } from './unknown-variables.ts'

const COMMANDS = `Commands:
  serve          run the service (the default)
  healthcheck    ask the service on this machine whether it is healthy: exit code 0 or 1
  registration --url URL --server-name NAME
                 print a registration file for application-service mode, and what to do with it:
                 where the homeserver reaches this service, and the homeserver's server name
  dashboard      print a Grafana dashboard (JSON) of the metrics at LIVEKIT_METRICS_BIND
  alerts         print alerting rules for Prometheus (YAML)
  --help         this text
  --help NAME    all about one setting, such as --help LIVEKIT_URL
  --version      the version`

const WIDTH = 100

/** Breaks a text into lines that begin with `indent`. */
function wrapped(text: string, indent: string, firstIndent = indent): string {
  const lines: string[] = []
  let line = firstIndent
  for (const word of text.split(/\s+/)) {
    const isFirst = line.trim() === '' || line === firstIndent
    const longer = isFirst ? line + word : `${line} ${word}`
    if (longer.length <= WIDTH || isFirst) {
      line = longer
      continue
    }
    lines.push(line)
    line = indent + word
  }
  return [...lines, line].join('\n')
}

function aliasNote({ aliases, aliasesDeprecated }: SettingGuide): string[] {
  if (aliases.length === 0) return []
  return [`${aliasesDeprecated ? 'deprecated alias' : 'alias'} ${aliases.join(', ')}`]
}

function fileNote({ name, fromFile }: SettingGuide): string[] {
  return fromFile ? [`or a file named by ${name}_FROM_FILE`] : []
}

function entry(guide: SettingGuide): string {
  const meaning = [guide.meaning, ...aliasNote(guide), ...fileNote(guide)].join('; ')
  const lines = [meaning, `default: ${guide.defaultText}`].map((text) => wrapped(text, '      '))
  return [`  ${guide.name}`, ...lines].join('\n')
}

function section({ title, guides }: GuideGroup): string {
  return `${title}:\n\n${guides.map(entry).join('\n')}\n`
}

/** The text of `--help`, made from the tables that the settings are read by. */
export function helpText(version: string): string {
  return `jwt-service-ts ${version}: LiveKit access tokens for Matrix users

Usage: jwt-service [command]

${COMMANDS}

Settings are environment variables; unset and empty are the same.

${GUIDE_GROUPS.map(section).join('\n')}`
}

/** Whether a name that is typed by hand means a setting: its own, an alias, or that of its file. */
function answersTo(guide: SettingGuide, name: string): boolean {
  return variablesOf(guide).some((variable) => variable.toUpperCase() === name)
}

const LABEL_WIDTH = 11

function labelled(label: string, text: string): string {
  return wrapped(text, ' '.repeat(LABEL_WIDTH), `${label}:`.padEnd(LABEL_WIDTH))
}

function paragraphs(details: string): string[] {
  return details
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => `${wrapped(paragraph, '')}\n`)
}

function exampleFile(name: string): string {
  return `${name}_FROM_FILE=/run/secrets/${name.toLowerCase()}`
}

function manual(guide: SettingGuide): string {
  const { name, aliases, aliasesDeprecated, fromFile } = guide
  const file =
    `the value can be in a file that ${name}_FROM_FILE names, where white space around it does not ` +
    'count; where both are set the file wins, with a warning'
  return [
    `${name}: ${guide.meaning}\n`,
    ...paragraphs(guide.details),
    labelled('default', guide.defaultText),
    ...(aliases.length === 0
      ? []
      : [labelled('alias', aliases.join(', ') + (aliasesDeprecated ? ' (deprecated)' : ''))]),
    ...(fromFile ? [labelled('file', file)] : []),
    labelled('example', `${name}=${guide.example}`),
    ...(fromFile ? [`${' '.repeat(LABEL_WIDTH)}${exampleFile(name)}`] : []),
    '',
  ].join('\n')
}

/** Text about one setting, or what is wrong with its name. */
export type SettingHelp = { readonly text: string } | { readonly unknown: SettingNote }

/**
 * The text of `--help NAME`.
 *
 * @param typed - any name that the setting can be given by, in any letter case
 */
export function settingHelp(typed: string): SettingHelp {
  const name = typed.toUpperCase()
  const guides = GUIDE_GROUPS.flatMap((group) => group.guides)
  const found = guides.find((guide) => answersTo(guide, name))
  return found === undefined ? { unknown: unknownSetting(name) } : { text: manual(found) }
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
