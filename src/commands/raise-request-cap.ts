import { RAISED_REQUEST_CAP, REQUEST_CAP_VARIABLE } from '../lib/request-budget.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Module paths inside a compiled binary. */
const INSIDE_BINARY = /^(?:\/\$bunfs\/|B:\/~BUN\/)/

/**
 * Raises the runtime's cap on concurrent requests. The runtime reads the variable only when it starts, so
 * a compiled binary sets it and executes itself again, in the same process. This happens once, since the
 * variable is set then. If it fails, the service runs with the default cap.
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
    // Run with the default cap.
  }
}
