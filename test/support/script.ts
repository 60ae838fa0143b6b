import { type Answer, reply } from './misbehaviour.ts'
import type { Handler, WireRequest } from './wire-server.ts'

/** What a test wants done instead of the stand-in's own answer, per path or method name. */
export interface Script {
  /**
   * Each request of the key takes the next entry, the last one stays. A key that ends in `*` is
   * for all keys that begin so; an exact key goes first.
   */
  respond(key: string, ...answers: readonly (Answer | Handler)[]): void
  /** Goes back to the stand-in's own answers, for one key or for all. */
  restore(key?: string): void
  /** The answer for a request, or nothing where the stand-in is to answer by itself. */
  answerFor(key: string, request: WireRequest): Promise<Answer> | undefined
}

/** An empty script. */
export function createScript(): Script {
  const entries = new Map<string, (Answer | Handler)[]>()

  function entryFor(key: string): (Answer | Handler)[] | undefined {
    const exact = entries.get(key)
    if (exact !== undefined) return exact
    for (const [pattern, entry] of entries) {
      if (pattern.endsWith('*') && key.startsWith(pattern.slice(0, -1))) return entry
    }
    return undefined
  }

  return {
    respond(key, ...answers) {
      entries.set(key, [...answers])
    },
    restore(key) {
      if (key === undefined) entries.clear()
      if (key !== undefined) entries.delete(key)
    },
    answerFor(key, request) {
      const entry = entryFor(key)
      if (entry === undefined) return undefined
      const next = (entry.length > 1 ? entry.shift() : entry[0]) ?? reply(500)
      return Promise.resolve(typeof next === 'function' ? next(request) : next)
    },
  }
}
