import { errorCode } from '../../lib/error-code.ts'
import type { Report, Step } from './report.ts'

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/**
 * Runs a check whose own faults are a finding, so that the other findings are not lost.
 *
 * @returns what the check gives; `undefined` if it failed
 */
export async function guarded<T>(
  step: Step,
  report: Report,
  check: () => Promise<T> | T,
): Promise<T | undefined> {
  try {
    return await check()
  } catch (error) {
    // Not the message, which may hold a secret.
    const found = `${nameOf(error)} (${errorCode(error, 'no code')})`
    report.problem(step, { code: 'doctor.check-failed', found })
    return undefined
  }
}
