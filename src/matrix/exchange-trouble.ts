import { GateRefusal } from '../lib/gate.ts'
import { parseJson, textMember } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import type { NetProblem } from '../net/request-error.ts'
import { problemOf, type RequestFailure, UnreachableError } from '../net/request-failure.ts'
import type { Trouble } from '../trouble.ts'

/** Why an exchange with a homeserver gave no answer. */
export type ExchangeProblem = NetProblem | 'busy' | 'given-up'

/** The API that was asked: that of other servers, or that of clients. */
export type ExchangeArea = 'federation' | 'client-api'

function exchangeProblem(failure: RequestFailure | GateRefusal): ExchangeProblem {
  return failure instanceof GateRefusal ? 'busy' : problemOf(failure)
}

/** A name has no more addresses, and the names in its SRV records may be anybody's. */
const MAX_DENIED = 16

/** What the operator is told of a failed exchange. */
export function exchangeTrouble<Area extends ExchangeArea>(
  area: Area,
  failure: RequestFailure | GateRefusal,
  notes: readonly string[] = [],
): Trouble<`${Area}.${ExchangeProblem}`> {
  const code = `${area}.${exchangeProblem(failure)}` as const
  const found = [failure.message, ...notes].join('; ')
  const denied = failure instanceof UnreachableError ? [...new Set(failure.denied)] : []
  if (denied.length === 0) return { code, found }
  return { code, found, subject: denied.slice(0, MAX_DENIED).join(',') }
}

/**
 * Capitals, as in `M_FORBIDDEN`. Others are no error codes, but may be what a homeserver was sent: an
 * OpenID token or a delay ID, which must not be logged.
 *
 * @see https://spec.matrix.org/latest/client-server-api/#standard-error-response
 */
const ERROR_CODE = /^[A-Z][A-Z\d_.]{1,59}$/

/** The error code of a Matrix error; `undefined` when an answer is none. */
export function matrixErrorCode({ body }: Answer): string | undefined {
  const code = textMember(parseJson(body), 'errcode')
  return code !== undefined && ERROR_CODE.test(code) ? code : undefined
}

/**
 * Says for the operator what was answered, and by whom.
 *
 * @param path - without a query, which may hold secrets
 */
export function answerText(answer: Answer, path: string, unlike = ''): string {
  const code = matrixErrorCode(answer)
  const parts = [`status ${answer.status}`, code ?? unlike].filter((part) => part !== '')
  return `${parts.join(', ')}, for ${path}${answer.peer === undefined ? '' : ` from ${answer.peer}`}`
}

const MAX_TYPE = 60

/** Like {@link answerText}, with what kind of document was served: another virtual host may have answered. */
export function documentText(answer: Answer, path: string): string {
  const type = answer.headers.get('content-type')?.slice(0, MAX_TYPE) ?? 'no content type'
  return `${answerText(answer, path)}: ${type}`
}
