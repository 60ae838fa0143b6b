import { MethodNotAllowed } from './errors.ts'

/** Answers a known path that was asked with a method it does not have. */
export function refuseMethod(): never {
  throw new MethodNotAllowed()
}

/** Answers what browsers ask before a request of another origin. */
export function answerPreflight(): Response {
  return new Response(null, { status: 200 })
}

/** Keeps a route out of the API pages. */
export const HIDDEN = { detail: { hide: true } }
