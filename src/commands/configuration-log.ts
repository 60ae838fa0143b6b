import { noteTrouble } from '../catalogue/configuration-entries.ts'
import { noteLine, type SettingNote } from '../config/reader.ts'
import type { FormattedLog } from './service-log.ts'

const MESSAGES = { error: 'configuration error', warn: 'configuration warning' } as const
const CODES = { error: 'configuration.bad-value', warn: 'configuration.doubtful' } as const

/**
 * Logs what is wrong with settings, or doubtful, in one line each: a sentence for people, and fields for
 * programs.
 */
export function logNotes(
  { logger, format }: FormattedLog,
  level: keyof typeof MESSAGES,
  notes: readonly SettingNote[],
): void {
  for (const note of notes) {
    if (format === 'pretty') logger[level](noteLine(note))
    else {
      const trouble = noteTrouble(note, CODES[level])
      logger[level](MESSAGES[level], { setting: note.setting, trouble })
    }
  }
}

/** Logs the settings that the environment gives: a line each for people, and one object for programs. */
export function logSettings(
  { logger, format }: FormattedLog,
  version: string,
  settings: Readonly<Record<string, string>>,
): void {
  if (format === 'json') {
    logger.info('configuration', { version, settings })
    return
  }
  for (const [name, value] of Object.entries(settings)) {
    logger.info('configuration', { [name]: value })
  }
}
