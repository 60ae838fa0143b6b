import type { MistakeCode, SettingNote } from '../config/reader.ts'
import type { Trouble } from '../trouble.ts'
import type { Entry } from './entry.ts'

/** What can be wrong with a setting. */
export type ConfigurationCode = MistakeCode | 'configuration.bad-value' | 'configuration.doubtful'

/** The settings. */
export const CONFIGURATION_ENTRIES: Readonly<Record<ConfigurationCode, Entry>> = {
  'configuration.bad-value': {
    sentence: 'A setting has a value that the service cannot start with.',
    remedy: 'Correct {}; "jwt-service --help {}" explains it.',
  },
  'configuration.registration-of-another-server': {
    sentence: 'The registration file is of another homeserver than the one named.',
    remedy:
      'Set {} to the server name of the homeserver that has the file; "jwt-service registration" prints a ' +
      'new one.',
  },
  'configuration.unknown-setting': {
    sentence: 'A variable looks like a setting of the service, and is none.',
    remedy: 'Rename {}, or remove it.',
  },
  'configuration.doubtful': {
    sentence: 'A setting has a value that the service starts with, and that is probably not meant.',
    remedy: '"jwt-service --help {}" explains it.',
  },
}

/** What the operator is told of a note about a setting. */
export function noteTrouble(
  { setting, text, code }: SettingNote,
  otherwise: 'configuration.bad-value' | 'configuration.doubtful',
): Trouble<ConfigurationCode> {
  return { code: code ?? otherwise, found: text, subject: setting }
}
