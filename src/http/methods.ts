import { MethodNotAllowed } from './errors.ts'

/** Answers a known path that was asked with another method than those of `allow`. */
export function allowOnly(allow: string) {
  return function refuseMethod(): never {
    throw new MethodNotAllowed(allow)
  }
}

/** Answers what browsers ask before a request of another origin. */
export function answerPreflight(): Response {
  return new Response(null, { status: 200 })
}

/** Keeps a route out of the API pages. */
export const HIDDEN = { detail: { hide: true } }
