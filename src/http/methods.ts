import type { AnyElysia } from 'elysia'
import { answerPreflight, corsPathsOf } from './cors.ts'
import { MethodNotAllowed } from './errors.ts'

/** Keeps a route out of the API pages. */
export const HIDDEN = { detail: { hide: true } }

/** Whoever answers GET answers HEAD too, without the body. */
function withHead(methods: ReadonlySet<string>): readonly string[] {
  const all = methods.has('GET') ? [...methods, 'HEAD'] : methods
  return [...new Set(all)].sort()
}

/** Answers a known path that was asked with another method than those of `allow`. */
function allowOnly(allow: string) {
  return function refuseMethod(): never {
    throw new MethodNotAllowed(allow)
  }
}

/**
 * Completes an app whose routes are all there: their paths refuse other methods, and those that browsers
 * call answer what browsers ask first.
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
