import { expectation, type Setting, type SettingGuide, variablesOf } from './setting.ts'
import { fileMistake } from './setting-files.ts'

/** The environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Gives the text of a file.
 *
 * @throws {Error} when it cannot be read
 */
export type ReadFile = (path: string) => string

/** A mistake that has an entry of its own in the catalogue; the others share one. */
export type MistakeCode =
  | 'configuration.registration-of-another-server'
  | 'configuration.unknown-setting'

/** What is wrong with a setting, or doubtful. */
export interface SettingNote {
  /** The variable. */
  readonly setting: string
  /** What is wrong with it and what is expected, without its value. */
  readonly text: string
  readonly code?: MistakeCode
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
  variablesSet(setting: SettingGuide): readonly string[]
  /**
   * The text of a file named by a variable; notes a problem where there is none.
   *
   * @param content - what should be in it
   */
  readFile(variable: string, path: string, content: string): string | undefined
  problem(variable: string, text: string, code?: MistakeCode): void
  warn(variable: string, text: string): void
  readonly problems: readonly SettingNote[]
  readonly warnings: readonly SettingNote[]
}

interface Given {
  readonly variable: string
  readonly text: string
  readonly isFromFile: boolean
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

/** Makes a reader of the settings that an environment gives. Unset and empty are the same. */
export function createSettingsReader(env: Environment, readFile: ReadFile): SettingsReader {
  const problems: SettingNote[] = []
  const warnings: SettingNote[] = []

  function problem(setting: string, text: string, code?: MistakeCode): void {
    problems.push({ setting, text, ...(code !== undefined && { code }) })
  }
  const warn = (variable: string, text: string) => warnings.push({ setting: variable, text })

  const present = (variable: string) => isPresent(env, variable)

  function readNamedFile(variable: string, path: string, content: string): string | undefined {
    try {
      const text = readFile(path)
      if (text.trim() !== '') return text
      problem(variable, `names a file that is empty; expected ${content} in it`)
    } catch (error) {
      const { wrong, expected } = fileMistake(error)
      problem(variable, `${wrong}; ${expected}`)
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
      return { variable: name, text: env[name] ?? '', isFromFile: false }
    }
    if (present(name)) warn(name, `is ignored, since ${fileVariable} is set`)
    const text = readNamedFile(
      fileVariable,
      env[fileVariable] ?? '',
      `the value, such as "${setting.example}",`,
    )
    if (text === undefined) return undefined
    return { variable: fileVariable, text: text.trim(), isFromFile: true }
  }

  function variablesSet(setting: Setting<unknown>): readonly string[] {
    return variablesOf(setting).filter(present)
  }

  function read<T>(setting: Setting<T>): T | undefined {
    const found = given(setting)
    if (found === undefined) return undefined
    const parsed = setting.parse(found.text)
    if (!parsed.ok) {
      const wrong = found.isFromFile ? `names a file whose text ${parsed.wrong}` : parsed.wrong
      problem(found.variable, `${wrong}; ${expectation(parsed.expected, setting)}`)
      return undefined
    }
    if (parsed.warning !== undefined) warn(found.variable, parsed.warning)
    return parsed.value
  }

  return {
    read,
    require(setting) {
      if (variablesSet(setting).length === 0) {
        problem(setting.name, `is not set; ${expectation(setting.meaning, setting)}`)
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
