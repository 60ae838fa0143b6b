/** Codes of Twirp, and what stands for them where the SFU did not answer; others become `other`. */
export const SFU_OUTCOMES: ReadonlySet<string> = new Set(
  (
    'ok not_found unauthenticated permission_denied unavailable deadline_exceeded invalid_argument ' +
    'resource_exhausted internal bad_route unreachable not_livekit malformed unexpected_answer'
  ).split(' '),
)

/** Webhooks that the SFU sends; others become `other`. */
export const WEBHOOKS: ReadonlySet<string> = new Set(
  (
    'participant_joined participant_left participant_connection_aborted room_started room_finished ' +
    'track_published track_unpublished'
  ).split(' '),
)

/** Limits that refuse requests. */
export const LIMITS = ['address', 'user', 'origin', 'delegations', 'tokens'] as const

/** Changes of the state of a delegation. */
export const TRANSITIONS = [
  ['none', 'waiting'],
  ['waiting', 'connected'],
  ['waiting', 'leaving'],
  ['waiting', 'dropped'],
  ['connected', 'leaving'],
  ['connected', 'dropped'],
  ['leaving', 'connected'],
  ['leaving', 'finished'],
] as const

/** Steps at which verification fails, and the codes of what is in the way there. */
const FAILURES: Readonly<Record<string, string>> = {
  queue: 'busy timeout',
  discovery: 'timeout',
  connect:
    'refused closed unreachable timeout no-address dns-failed certificate-expired ' +
    'certificate-not-yet-valid certificate-for-another-name certificate-untrusted malformed-answer ' +
    'tls-failed answer-too-large connection-failed',
  userinfo: 'no-openid not-matrix unexpected-answer foreign-user unavailable',
}

/** How the verification of a token of a server in the settings ends. */
export const VERIFICATIONS = [
  { step: 'userinfo', outcome: 'ok', code: '' },
  { step: 'userinfo', outcome: 'refused', code: 'federation.token-refused' },
  ...Object.entries(FAILURES).flatMap(([step, problems]) => {
    return problems
      .split(' ')
      .map((problem) => ({ step, outcome: 'failed', code: `federation.${problem}` }))
  }),
]
