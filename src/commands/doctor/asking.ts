import {
  type ExchangeArea,
  type ExchangeProblem,
  exchangeTrouble,
} from '../../matrix/exchange-trouble.ts'
import type { Answer } from '../../net/bounded-fetch.ts'
import { isRequestFailure } from '../../net/request-failure.ts'
import type { Trouble } from '../../trouble.ts'

/** Sends a GET request to the homeserver. */
export type Get = (path: string) => Promise<Answer>

/** The answer of the API that was asked, or why there was none. */
export async function attempt<Area extends ExchangeArea>(
  area: Area,
  question: Promise<Answer>,
): Promise<Answer | Trouble<`${Area}.${ExchangeProblem}`>> {
  try {
    return await question
  } catch (error) {
    if (isRequestFailure(error)) return exchangeTrouble(area, error)
    throw error
  }
}

/** Whether there was an answer. */
export function isAnswer(outcome: Answer | Trouble): outcome is Answer {
  return 'status' in outcome
}
