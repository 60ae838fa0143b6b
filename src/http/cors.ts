/** Headers on every answer of an endpoint that browsers call; they permit any origin. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers':
    'Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token',
  // Lets a web client report the ID under which its request is logged.
  'access-control-expose-headers': 'X-Request-Id',
}

/** A route of the framework. */
interface Route {
  readonly path: string
  readonly hooks: { readonly cors?: boolean }
}

/** Answers a CORS preflight request. */
export function answerPreflight(): Response {
  return new Response(null, { status: 200 })
}

/** The paths of the routes with `cors: true`, without a trailing slash. */
export function corsPathsOf(routes: readonly Route[]): ReadonlySet<string> {
  return new Set(routes.filter(({ hooks }) => hooks.cors === true).map(({ path }) => path))
}

/** The path without a trailing slash. */
export function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

/** Whether `path` is one of `paths`, with or without a trailing slash. */
export function isAmong(paths: ReadonlySet<string>, path: string): boolean {
  return paths.has(withoutSlash(path))
}
