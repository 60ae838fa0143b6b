/** On every answer of an endpoint that browsers call: what lets those of any origin do so. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers':
    'Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token',
  // Otherwise a web client could not say which line of the log is about its request.
  'access-control-expose-headers': 'X-Request-Id',
}

/** A route as the framework knows it. */
interface Route {
  readonly path: string
  readonly hooks: { readonly cors?: boolean }
}

/** Answers what browsers ask before a request of another origin. */
export function answerPreflight(): Response {
  return new Response(null, { status: 200 })
}

/** The paths of the routes that have `cors: true`, without a slash at the end. */
export function corsPathsOf(routes: readonly Route[]): ReadonlySet<string> {
  return new Set(routes.filter(({ hooks }) => hooks.cors === true).map(({ path }) => path))
}

/** Tells whether a request is for one of these paths, with or without a slash at the end. */
export function isAmong(paths: ReadonlySet<string>, path: string): boolean {
  return paths.has(path.endsWith('/') ? path.slice(0, -1) : path)
}
