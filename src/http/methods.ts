import type { AnyElysia } from 'elysia'
import { answerPreflight, corsPathsOf } from './cors.ts'
import { MethodNotAllowed } from './error-table.ts'

/** Keeps a route out of the API pages. */
export const HIDDEN = { detail: { hide: true } }

/** A path that answers GET also answers HEAD. */
function withHead(methods: ReadonlySet<string>): readonly string[] {
  const all = methods.has('GET') ? [...methods, 'HEAD'] : methods
  return [...new Set(all)].sort()
}

/** Answers a known path for any method that is not in `allow`. */
function allowOnly(allow: string) {
  return function refuseMethod(): never {
    throw new MethodNotAllowed(allow)
  }
}

/**
 * Adds a 405 answer for other methods to every path, and CORS preflight to those that browsers call.
 * To be called once all routes are registered.
 */
export function completeMethods(app: AnyElysia): void {
  const corsPaths = corsPathsOf(app.routes)
  const methodsOf = new Map<string, Set<string>>()
  for (const { path, method } of app.routes) {
    methodsOf.set(path, (methodsOf.get(path) ?? new Set<string>()).add(method))
  }
  for (const [path, methods] of methodsOf) {
    if (corsPaths.has(path)) {
      methods.add('OPTIONS')
      app.options(path, answerPreflight, HIDDEN)
    }
    app.all(path, allowOnly(withHead(methods).join(', ')), HIDDEN)
  }
}
