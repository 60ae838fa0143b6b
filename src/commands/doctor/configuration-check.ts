import { noteTrouble } from '../../catalogue/configuration-entries.ts'
import { noteLine } from '../../config/reader.ts'
import type { Config, LoadedConfig } from '../../config.ts'
import type { Report, Step } from './report.ts'

const LATER: readonly Step[] = ['sfu', 'state', 'service']

/** Reports what is wrong with the settings; gives the configuration if it can be used. */
export function checkConfiguration(
  { config, problems, warnings }: LoadedConfig,
  report: Report,
): Config | undefined {
  for (const note of problems) {
    const trouble = noteTrouble(note, 'configuration.bad-value')
    report.problem('configuration', { ...trouble, found: noteLine(note) })
  }
  for (const note of warnings) {
    const trouble = noteTrouble(note, 'configuration.doubtful')
    report.warning('configuration', { ...trouble, found: noteLine(note) })
  }
  if (config === undefined) {
    for (const step of LATER) report.skipped(step, 'needs a right configuration')
    return undefined
  }
  if (warnings.length === 0) report.ok('configuration', 'every setting has a right value')
  return config
}
