import type { SettingNote } from '../../config/reader.ts'
import { noteLine } from '../../config/reader.ts'
import type { Config, LoadedConfig } from '../../config.ts'
import type { Report, Step } from './report.ts'

const LATER: readonly Step[] = ['sfu', 'state', 'service']

function told(note: SettingNote) {
  return { found: noteLine(note), subject: note.setting }
}

/** Reports what is wrong with the settings; gives the configuration if it can be used. */
export function checkConfiguration(
  { config, problems, warnings }: LoadedConfig,
  report: Report,
): Config | undefined {
  for (const note of problems) {
    const { code = 'configuration.bad-value' } = note
    report.problem('configuration', { code, ...told(note) })
  }
  for (const note of warnings) {
    const { code = 'configuration.doubtful' } = note
    report.warning('configuration', { code, ...told(note) })
  }
  if (config === undefined) {
    for (const step of LATER) report.skipped(step, 'needs a right configuration')
    return undefined
  }
  if (warnings.length === 0) report.ok('configuration', 'every setting has a right value')
  return config
}
