import type { Config, LoadedConfig } from '../../config.ts'
import type { Report, Step } from './report.ts'

const LATER: readonly Step[] = ['sfu', 'state', 'service']

/** Splits a message of the configuration into the variable that it is about, and the rest. */
function subjectOf(message: string): { readonly subject: string } {
  return { subject: message.split(':', 1)[0] ?? '' }
}

/** Reports what is wrong with the settings; gives the configuration if it can be used. */
export function checkConfiguration(
  { config, problems, warnings }: LoadedConfig,
  report: Report,
): Config | undefined {
  for (const found of problems) {
    report.problem('configuration', {
      code: 'configuration.bad-value',
      found,
      ...subjectOf(found),
    })
  }
  for (const found of warnings) {
    report.warning('configuration', { code: 'configuration.doubtful', found, ...subjectOf(found) })
  }
  if (config === undefined) {
    for (const step of LATER) report.skipped(step, 'needs a right configuration')
    return undefined
  }
  if (warnings.length === 0) report.ok('configuration', 'every setting has a right value')
  return config
}
