/** Documentation of answers for OpenAPI. Answers are not validated at run time. */

const REQUEST_ID = {
  'X-Request-Id': {
    description: "The request's ID, which its log line carries too; a well-formed one is kept.",
    schema: { type: 'string' },
  },
} as const

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds until it is worth a retry.', schema: { type: 'integer' } },
} as const

function json(schema: object, example?: object) {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } }
}

function reference(model: string) {
  return { $ref: `#/components/schemas/${model}` }
}

/** An answer that follows one of the named models. */
export function answer(description: string, model: string) {
  return { description, headers: REQUEST_ID, content: json(reference(model)) }
}

/** An answer of `{}`. */
export function emptyAnswer(description: string) {
  return { description, headers: REQUEST_ID, content: json({ type: 'object' }) }
}

/** A Matrix error, with an example. */
export function errorAnswer(description: string, errcode: string, error: string) {
  const content = json(reference('MatrixError'), { errcode, error })
  return { description, headers: REQUEST_ID, content }
}

/** A 429 Matrix error, which says when to retry. */
export function limitAnswer(description: string, error: string) {
  const example = { errcode: 'M_LIMIT_EXCEEDED', error, retry_after_ms: 60_000 }
  const headers = { ...REQUEST_ID, ...RETRY_AFTER }
  return { description, headers, content: json(reference('MatrixError'), example) }
}

/** The errors that every JSON endpoint can answer with. */
export const COMMON_ERRORS = {
  401: errorAnswer(
    '`M_UNAUTHORIZED`: the OpenID token could not be verified, or its user is ' +
      'not the claimed one.',
    'M_UNAUTHORIZED',
    'The request could not be authorised.',
  ),
  405: errorAnswer('`M_UNRECOGNIZED`: not a POST request.', 'M_UNRECOGNIZED', 'Method not allowed'),
  413: errorAnswer(
    '`M_TOO_LARGE`: the body is larger than 64 KiB.',
    'M_TOO_LARGE',
    'The body is larger than 64 KiB.',
  ),
  429: limitAnswer(
    '`M_LIMIT_EXCEEDED`: too many requests from the address or by the user, or too many delegations ' +
      'of the user or of all users of the server.',
    'Too many requests.',
  ),
  503: errorAnswer(
    '`M_UNKNOWN`: the state store is not available, or the service is shutting down.',
    'M_UNKNOWN',
    'The service is shutting down.',
  ),
} as const
