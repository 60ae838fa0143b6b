import { errorAnswer, limitAnswer } from './models.ts'

/** The errors that every JSON endpoint can answer with, as documented. */
export const COMMON_ERRORS = {
  401: errorAnswer(
    '`M_UNAUTHORIZED`: the OpenID token could not be verified, for whatever reason, or its user is ' +
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
    '`M_LIMIT_EXCEEDED`: the user has too many delegations, or the users of the server have.',
    'Too many delegations.',
  ),
  503: errorAnswer(
    '`M_UNKNOWN`: the state store is not available, or the service is shutting down.',
    'M_UNKNOWN',
    'The service is shutting down.',
  ),
}
