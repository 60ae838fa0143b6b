import type { Parser } from './parsers.ts'

/** One setting: how it is named, read and explained. */
export interface Setting<T> {
  /** Name of the environment variable. */
  readonly name: string
  /** Other names for the same, in the order in which they count. */
  readonly aliases: readonly string[]
  /** Whether the use of an alias is warned about. */
  readonly aliasesDeprecated: boolean
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
  return { aliases: [], aliasesDeprecated: false, fromFile: false, secret: false, ...draft }
}

/** Every variable that a setting can be given by. */
export function variablesOf({ name, aliases, fromFile }: Setting<unknown>): readonly string[] {
  const names = [name, ...aliases]
  return fromFile ? names.flatMap((each) => [each, `${each}_FROM_FILE`]) : names
}
