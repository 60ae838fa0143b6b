import { errorCode } from '../lib/error-code.ts'
import type { Parser } from './parsers.ts'

/** One setting: how it is named, read and explained. */
export interface Setting<T> {
  /** Name of the environment variable. */
  readonly name: string
  /** Other names for the same, in the order in which they count. */
  readonly aliases: readonly string[]
  /** Whether the use of an alias is warned about. */
  readonly aliasesDeprecated: boolean
  /** The setting to use instead of this one; unset unless this one is deprecated. */
  readonly replacedBy?: string
  /** Names that people take for this setting's; it is proposed to them. */
  readonly mistakenNames: readonly string[]
  /** Whether the value can be read from the file named by `<NAME>_FROM_FILE`. */
  readonly fromFile: boolean
  /** Whether the value must not be shown. */
  readonly secret: boolean
  /** What holds while it is not set; for people. */
  readonly defaultText: string
  /** For `--help`. */
  readonly meaning: string
  readonly parse: Parser<T>
}

/** What a setting must state; the rest has defaults. */
export type SettingDraft<T> = Pick<Setting<T>, 'name' | 'defaultText' | 'meaning' | 'parse'> &
  Partial<Setting<T>>

/** Completes a setting. */
export function setting<T>(draft: SettingDraft<T>): Setting<T> {
  return {
    aliases: [],
    aliasesDeprecated: false,
    mistakenNames: [],
    fromFile: false,
    secret: false,
    ...draft,
  }
}

/** Every variable that a setting can be given by. */
export function variablesOf({ name, aliases, fromFile }: Setting<unknown>): readonly string[] {
  const names = [name, ...aliases]
  return fromFile ? names.flatMap((each) => [each, `${each}_FROM_FILE`]) : names
}

/** The environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Gives the text of a file.
 *
 * @throws {Error} when it cannot be read
 */
export type ReadFile = (path: string) => string

/** What is wrong with a setting, or doubtful. */
export interface SettingNote {
  /** The variable. */
  readonly setting: string
  /** What is wrong with it and what is expected, without its value. */
  readonly text: string
}

/** A note in one line. */
export function noteLine({ setting, text }: SettingNote): string {
  return `${setting}: ${text}`
}

/** Reads settings, and gathers everything that is wrong with them. */
export interface SettingsReader {
  /** The value, or `undefined` when it is not set or wrong. */
  read<T>(setting: Setting<T>): T | undefined
  /** The value, or `undefined` after noting that it is missing or wrong. */
  require<T>(setting: Setting<T>): T | undefined
  /** The variables by which the setting is given. */
  variablesSet(setting: Setting<unknown>): readonly string[]
  /** The text of a file named by a variable; notes a problem where there is none. */
  readFile(variable: string, path: string): string | undefined
  problem(variable: string, text: string): void
  warn(variable: string, text: string): void
  readonly problems: readonly SettingNote[]
  readonly warnings: readonly SettingNote[]
}

interface Given {
  readonly variable: string
  readonly text: string
}

/** Kubernetes sets `LIVEKIT_JWT_PORT` so for a service that happens to be called `livekit-jwt`. */
function isServiceLink(variable: string, text: string): boolean {
  return variable.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(text)
}

/** Tells whether an environment gives a variable any meaning. */
export function isPresent(env: Environment, variable: string): boolean {
  const text = env[variable] ?? ''
  return text.trim() !== '' && !isServiceLink(variable, text)
}

function whyUnreadable(code: string): string {
  if (code === 'ENOENT') return 'does not exist (ENOENT)'
  if (code === 'EISDIR') return 'is a directory (EISDIR)'
  if (code !== 'EACCES') return `cannot be read (${code})`
  const user = process.getuid?.()
  return `user ${user}, which the service runs as, may not read (EACCES)`
}

/** Makes a reader of the settings that an environment gives. Unset and empty are the same. */
export function createSettingsReader(env: Environment, readFile: ReadFile): SettingsReader {
  const problems: SettingNote[] = []
  const warnings: SettingNote[] = []

  const problem = (variable: string, text: string) => problems.push({ setting: variable, text })
  const warn = (variable: string, text: string) => warnings.push({ setting: variable, text })

  const present = (variable: string) => isPresent(env, variable)

  function readNamedFile(variable: string, path: string): string | undefined {
    try {
      const text = readFile(path)
      if (text.trim() !== '') return text
      problem(variable, 'names a file that is empty; expected the value in it')
    } catch (error) {
      problem(variable, `names a file that ${whyUnreadable(errorCode(error))}`)
    }
    return undefined
  }

  function given<T>(setting: Setting<T>): Given | undefined {
    const names = [setting.name, ...setting.aliases].filter((name) => {
      return present(name) || (setting.fromFile && present(`${name}_FROM_FILE`))
    })
    const [name, ...ignored] = names
    if (name === undefined) return undefined
    for (const other of ignored) warn(other, `is ignored, since ${name} is set`)
    if (name !== setting.name && setting.aliasesDeprecated) {
      warn(name, `is deprecated, use ${setting.name}`)
    }
    const fileVariable = `${name}_FROM_FILE`
    if (!setting.fromFile || !present(fileVariable)) {
      return { variable: name, text: env[name] ?? '' }
    }
    if (present(name)) warn(name, `is ignored, since ${fileVariable} is set`)
    const text = readNamedFile(fileVariable, env[fileVariable] ?? '')
    return text === undefined ? undefined : { variable: fileVariable, text: text.trim() }
  }

  function variablesSet(setting: Setting<unknown>): readonly string[] {
    return variablesOf(setting).filter(present)
  }

  function read<T>(setting: Setting<T>): T | undefined {
    const found = given(setting)
    if (found === undefined) return undefined
    const parsed = setting.parse(found.text)
    if (!parsed.ok) {
      problem(found.variable, `found ${parsed.found}; expected ${parsed.expected}`)
      return undefined
    }
    if (parsed.warning !== undefined) warn(found.variable, parsed.warning)
    return parsed.value
  }

  return {
    read,
    require(setting) {
      if (variablesSet(setting).length === 0) {
        problem(setting.name, `is not set; expected ${setting.meaning}`)
      }
      return read(setting)
    },
    variablesSet,
    readFile: readNamedFile,
    problem,
    warn,
    problems,
    warnings,
  }
}
