/** The code of an error of the system or the runtime, such as `ENOENT`; `otherwise` where it has none. */
export function errorCode(error: unknown, otherwise = 'unknown error'): string {
  return error instanceof Error && 'code' in error ? String(error.code) : otherwise
}
