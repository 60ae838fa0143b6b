import type { MistakeCode, SettingNote } from '../config/reader.ts'
import type { Trouble } from '../trouble.ts'
import type { Entry } from './entry.ts'

/** What can be wrong with a setting. */
export type ConfigurationCode = MistakeCode | 'configuration.bad-value' | 'configuration.doubtful'

/** The settings. */
export const CONFIGURATION_ENTRIES: Readonly<Record<ConfigurationCode, Entry>> = {
  'configuration.bad-value': {
    sentence: 'The service cannot start with this setting as it is.',
    remedy: '"jwt-service --help {}" explains the setting, and gives an example.',
  },
  'configuration.registration-of-another-server': {
    sentence: 'The registration file is of another homeserver than the one named.',
    remedy:
      'Set {} to the server name of the homeserver that loads the file; "jwt-service registration" prints ' +
      'a new file.',
  },
  'configuration.unknown-setting': {
    sentence: 'A variable has a name like a setting of the service, which has no such setting.',
    remedy: 'Rename {}, or remove it.',
  },
  'configuration.doubtful': {
    sentence:
      'The service starts with this setting as it is, but that is probably not what you want.',
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
