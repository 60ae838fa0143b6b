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
  example [NAME] print an example to start from: compose, nginx and others; without NAME, list them
  doctor [SERVER NAME] [--token T] [--user @u:server] [--json]
                 look at all that the service depends on, with its environment, and say what is
                 wrong and what helps: exit code 0, 1 with problems, 2 for wrong arguments; with a
                 server name at that homeserver too, with an OpenID token of a user all the way
                 (--token - reads it from standard input)
  --help         this text
  --help NAME    all about one setting, such as --help LIVEKIT_URL, or about one code of a log
                 line, such as --help sfu.refused
  --help codes   all codes that a log line can have
  --version      the version`

const WIDTH = 100

/** Breaks a text into lines that begin with `indent`. */
function lines(text: string, indent: string): string[] {
  const broken: string[] = []
  for (const word of text.trim().split(/\s+/)) {
    const longer = `${broken.at(-1)} ${word}`
    if (broken.length > 0 && longer.length <= WIDTH) broken[broken.length - 1] = longer
    else broken.push(indent + word)
  }
  return broken
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
  const texts = [meaning, `default: ${guide.defaultText}`]
  return [`  ${guide.name}`, ...texts.flatMap((text) => lines(text, '      '))].join('\n')
}

function section({ title, guides }: GuideGroup): string {
  return `${title}:\n\n${guides.map(entry).join('\n')}\n`
}

/** The text of `--help`, made from the tables that the settings are read by. */
export function helpText(version: string): string {
  return `jwt-service-ts ${version}: LiveKit access tokens for Matrix users

Usage: jwt-service [command]

${COMMANDS}

Settings are environment variables. Unset and empty are the same; .env files are not read. A bad
value stops the start with exit code 2.

${GUIDE_GROUPS.map(section).join('\n')}`
}

/** Whether a name that is typed by hand means a setting: its own, an alias, or that of its file. */
function answersTo(guide: SettingGuide, name: string): boolean {
  return variablesOf(guide).some((variable) => variable.toUpperCase() === name)
}

const LABEL_WIDTH = 11

function labelled(label: string, text: string): string {
  return lines(text, ' '.repeat(LABEL_WIDTH))
    .join('\n')
    .replace(/^ +/, `${label}:`.padEnd(LABEL_WIDTH))
}

function aliasLine({ aliases, aliasesDeprecated, fromFile }: SettingGuide): string[] {
  if (aliases.length === 0) return []
  const names = aliases.flatMap((alias) => (fromFile ? [alias, `${alias}_FROM_FILE`] : [alias]))
  return [labelled('alias', `${names.join(', ')}${aliasesDeprecated ? ' (deprecated)' : ''}`)]
}

function fileLines({ name, fromFile }: SettingGuide): string[] {
  if (!fromFile) return []
  const text =
    `the value can be in a file that ${name}_FROM_FILE names; white space around it does not count, ` +
    'and where both are set the file wins, with a warning'
  return [labelled('file', text)]
}

function exampleLines({ name, example, fromFile }: SettingGuide): string[] {
  const line = labelled('example', `${name}=${example}`)
  if (!fromFile) return [line]
  const file = `${name}_FROM_FILE=/run/secrets/${name.toLowerCase()}`
  return [line, ...lines(file, ' '.repeat(LABEL_WIDTH))]
}

function manual(guide: SettingGuide): string {
  const paragraphs = guide.details.split(/\n{2,}/).map((text) => lines(text, '').join('\n'))
  const facts = [
    labelled('default', guide.defaultText),
    ...aliasLine(guide),
    ...fileLines(guide),
    ...exampleLines(guide),
  ]
  return `${[guide.name, ...paragraphs, facts.join('\n')].join('\n\n')}\n`
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

/** The variable that a setting is given by, if any; a file wins over the text beside it. */
function variableInForce(env: Environment, { name, aliases, fromFile }: SettingGuide) {
  return [name, ...aliases]
    .flatMap((each) => (fromFile ? [`${each}_FROM_FILE`, each] : [each]))
    .find((variable) => isPresent(env, variable))
}

function shownSetting(env: Environment, setting: Setting<unknown>): [string, string][] {
  const variable = variableInForce(env, setting)
  if (variable === undefined) return []
  if (setting.secret) return [[variable, '(set)']]
  const text = env[variable] ?? ''
  const parsed = setting.parse(text)
  // A text that was not taken as it is may be anything, a misplaced secret included.
  return parsed.ok && parsed.warning === undefined ? [[variable, text]] : []
}

/** The settings that the environment gives, by variable; of secrets, only that they are set. */
export function describeSettings(env: Environment): Record<string, string> {
  return Object.fromEntries(ALL_SETTINGS.flatMap((setting) => shownSetting(env, setting)))
}
