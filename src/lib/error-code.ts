/** The code of a system or runtime error, such as `ENOENT`, or `otherwise` if it has none. */
export function errorCode(error: unknown, otherwise = 'unknown error'): string {
  return error instanceof Error && 'code' in error ? String(error.code) : otherwise
}
