import type { Parser } from './parsers.ts'

/** What people are told about a variable. */
export interface SettingGuide {
  /** Name of the environment variable. */
  readonly name: string
  /** Other names for the same, in the order in which they count. */
  readonly aliases: readonly string[]
  /** Whether the use of an alias is warned about. */
  readonly aliasesDeprecated: boolean
  /** Whether the value can be read from the file named by `<NAME>_FROM_FILE`. */
  readonly fromFile: boolean
  /** What holds while it is not set. */
  readonly defaultText: string
  /** What it is, in part of a sentence. */
  readonly meaning: string
  /** All that an operator needs to know, in whole sentences; an empty line parts paragraphs. */
  readonly details: string
  /** A right value. */
  readonly example: string
}

/** One setting: how it is named, read and explained. */
export interface Setting<T> extends SettingGuide {
  /** The setting to use instead of this one; unset unless this one is deprecated. */
  readonly replacedBy?: string
  /** Names that people take for this setting's; it is proposed to them. */
  readonly mistakenNames: readonly string[]
  /** Whether the value must not be shown. */
  readonly secret: boolean
  readonly parse: Parser<T>
}

const GUIDE_DEFAULTS = { aliases: [], aliasesDeprecated: false, fromFile: false } as const

/** What a guide must state; the rest has defaults. */
export type GuideDraft = Pick<
  SettingGuide,
  'name' | 'defaultText' | 'meaning' | 'details' | 'example'
> &
  Partial<SettingGuide>

/** What a setting must state; the rest has defaults. */
export type SettingDraft<T> = GuideDraft & Pick<Setting<T>, 'parse'> & Partial<Setting<T>>

/** Completes a guide. */
export function guide(draft: GuideDraft): SettingGuide {
  return { ...GUIDE_DEFAULTS, ...draft }
}

/** Completes a setting. */
export function setting<T>(draft: SettingDraft<T>): Setting<T> {
  return { ...GUIDE_DEFAULTS, mistakenNames: [], secret: false, ...draft }
}

/** Every variable that a setting can be given by. */
export function variablesOf({ name, aliases, fromFile }: SettingGuide): readonly string[] {
  const names = [name, ...aliases]
  return fromFile ? names.flatMap((each) => [each, `${each}_FROM_FILE`]) : names
}

/** What is expected of a value, with a right one unless `expected` has it. */
export function expectation(expected: string, { example }: SettingGuide): string {
  const quoted = `"${example}"`
  return `expected ${expected}${expected.includes(quoted) ? '' : `, such as ${quoted}`}`
}
