import { RAISED_REQUEST_CAP, REQUEST_CAP_VARIABLE } from '../lib/request-budget.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Compiled programs find their modules there. */
const INSIDE_BINARY = /^(?:\/\$bunfs\/|B:\/~BUN\/)/

/**
 * Lets the runtime make more requests at once. It reads the variable for that at its own start alone,
 * so a compiled binary replaces itself with itself, in the same process: once, since the variable is
 * set from then on. Where that cannot be done, the service goes on with what it has.
 */
export function raiseRequestCap(env: Environment): void {
  const isSet = (env[REQUEST_CAP_VARIABLE] ?? '').trim() !== ''
  if (isSet || !INSIDE_BINARY.test(import.meta.path)) return
  const args = [process.argv0, ...process.argv.slice(2)]
  try {
    process.execve?.(process.execPath, args, {
      ...env,
      [REQUEST_CAP_VARIABLE]: String(RAISED_REQUEST_CAP),
    })
  } catch {
    // The budgets are those of the cap as it is.
  }
}
