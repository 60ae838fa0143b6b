import { errorCode } from '../lib/error-code.ts'

/** Why a server could not be connected to, or was not understood. */
export type ConnectionProblem =
  | 'refused'
  | 'closed'
  | 'unreachable'
  | 'timeout'
  | 'no-address'
  | 'dns-failed'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'certificate-for-another-name'
  | 'certificate-untrusted'
  | 'tls-failed'
  | 'malformed-answer'
  | 'connection-failed'

/** Why a request got no usable answer. */
export type NetProblem =
  | ConnectionProblem
  | 'denied-address'
  /** The server is there, but answers with 429 or 5xx. */
  | 'unavailable'
  | 'answer-too-large'
  | 'bad-redirect'

/** Whether another address of the server may still work. */
export type FailureScope = 'final' | 'this address'

/** A request got no usable answer. The message is safe to log: it contains no path, no query and no secret. */
export class RequestError extends Error {
  readonly problem: NetProblem
  /** What failed: the server as a whole, or one of its addresses. */
  readonly scope: FailureScope

  constructor(problem: NetProblem, message: string, scope: FailureScope) {
    super(message)
    this.name = 'RequestError'
    this.problem = problem
    this.scope = scope
  }
}

const UNTRUSTED = [
  'certificate-untrusted',
  'certificate is signed by an unknown authority',
] as const

const NO_TLS = ['tls-failed', 'the port does not speak TLS'] as const

/** By the codes of the system, of its TLS library, and of the runtime. */
const CAUSES: Readonly<Record<string, readonly [ConnectionProblem, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ConnectionRefused: ['refused', 'connection refused'],
  ECONNRESET: ['closed', 'connection closed by the server'],
  ConnectionClosed: ['closed', 'connection closed by the server'],
  ENETUNREACH: ['unreachable', 'network unreachable'],
  EHOSTUNREACH: ['unreachable', 'host unreachable'],
  ETIMEDOUT: ['timeout', 'connection timed out'],
  ENOTFOUND: ['no-address', 'the host name has no address'],
  EAI_AGAIN: ['dns-failed', 'the DNS does not answer'],
  Malformed_HTTP_Response: ['malformed-answer', 'answer is malformed'],
  ResponseHeadersTooLarge: ['malformed-answer', 'headers of the answer are too large'],
  CERT_HAS_EXPIRED: ['certificate-expired', 'certificate has expired'],
  CERT_NOT_YET_VALID: ['certificate-not-yet-valid', 'certificate is not valid yet'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['certificate-for-another-name', 'certificate is for another name'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['certificate-untrusted', 'certificate is self-signed'],
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  EPROTO: ['tls-failed', 'TLS handshake failed'],
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
}

/**
 * What a failure to connect means, and a text for the operator. Only the code of the failure is used:
 * the messages of `fetch` contain the URL, and with it the OpenID token.
 */
export function connectionProblem(error: unknown): readonly [ConnectionProblem, string] {
  const code = errorCode(error, 'no code')
  const cause = CAUSES[code]
  if (cause !== undefined) return cause
  if (code.startsWith('ERR_SSL_')) return ['tls-failed', `TLS handshake failed (${code})`]
  return ['connection-failed', `connection failed (${code})`]
}

/** Turns a failure to connect into a request error. */
export function connectionFailure(error: unknown): RequestError {
  return new RequestError(...connectionProblem(error), 'this address')
}

/** The error for a connection that the server closed too early. */
export function closedByServer(): RequestError {
  return new RequestError('closed', 'connection closed by the server', 'this address')
}

/** The body of an answer is larger than its limit. */
export class AnswerTooLarge extends RequestError {
  constructor(maxBodyBytes: number) {
    super('answer-too-large', `answer is larger than ${maxBodyBytes / 1024} KiB`, 'final')
    this.name = 'AnswerTooLarge'
  }
}
