import type { CauseCode } from '../../catalogue/catalogue.ts'
import { exchangeTrouble } from '../../matrix/exchange-trouble.ts'
import type { Answer } from '../../net/bounded-fetch.ts'
import { isRequestFailure } from '../../net/target-client.ts'
import type { Trouble } from '../../trouble.ts'

/** Sends a GET request to the homeserver. */
export type Get = (path: string) => Promise<Answer>

/** The answer, or why there was none. */
export async function attempt(question: Promise<Answer>): Promise<Answer | Trouble<CauseCode>> {
  try {
    return await question
  } catch (error) {
    if (isRequestFailure(error)) return exchangeTrouble('federation', error)
    throw error
  }
}

/** Whether there was an answer. */
export function isAnswer(outcome: Answer | Trouble<CauseCode>): outcome is Answer {
  return 'status' in outcome
}
