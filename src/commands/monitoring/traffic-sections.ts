import { greatest, percentiles, perSecond, type Section } from './panel.ts'

/** Sections about requests, and about whom the service asks to answer them. */
export const TRAFFIC_SECTIONS: readonly Section[] = [
  {
    title: 'Requests',
    panels: [
      {
        title: 'Requests by endpoint',
        description:
          'Requests answered a second. "unknown" are paths that the service does not have: scanners, or a ' +
          'wrong path prefix in the proxy.',
        unit: 'reqps',
        queries: [perSecond('jwt_service_requests_total', ['route'])],
      },
      {
        title: 'Outcomes',
        description:
          'How requests ended: "ok" or a Matrix error code. M_UNAUTHORIZED are tokens that could not be ' +
          'verified, M_LIMIT_EXCEEDED are refusals by a limit, M_UNKNOWN are failures of the service, the SFU ' +
          'or the state store.',
        unit: 'reqps',
        queries: [perSecond('jwt_service_requests_total', ['outcome'])],
      },
      {
        title: 'Duration of requests',
        description:
          'From the arrival of a request to its answer; half of the requests are faster than p50, and 1 % ' +
          "slower than p99. Most of a token's time is spent waiting for the user's homeserver.",
        unit: 's',
        queries: percentiles('jwt_service_request_duration_seconds', ['route']),
      },
      {
        title: 'Refused by limits',
        description:
          'Requests answered with 429: by address, by user or by homeserver (LIVEKIT_RATE_LIMIT), or because ' +
          'a user has too many delegations or tokens. Many by "address" may be one abuser, or a proxy that is ' +
          'missing in LIVEKIT_TRUSTED_PROXIES.',
        unit: 'reqps',
        queries: [perSecond('jwt_service_requests_refused_total', ['limit'])],
      },
    ],
  },
  {
    title: 'Homeservers and SFU',
    panels: [
      {
        title: 'Verifications, servers in the settings',
        description:
          'OpenID tokens of users of servers that the settings name. "refused": the server does not know the ' +
          'token. "failed" is trouble: the server was not found (discovery), did not answer (connect) or ' +
          'answered nonsense (userinfo), or too many were waiting (queue). Its label "code" says what exactly.',
        unit: 'ops',
        queries: [
          perSecond('jwt_service_verifications_total', ['step', 'outcome'], 'server="named"'),
        ],
      },
      {
        title: 'Verifications, all other servers',
        description:
          'The same for servers that the settings do not name. Failures are common here: anybody can claim to ' +
          'come from any server.',
        unit: 'ops',
        queries: [
          perSecond('jwt_service_verifications_total', ['step', 'outcome'], 'server="other"'),
        ],
      },
      {
        title: 'Calls of the SFU',
        description:
          'Calls of LiveKit\'s API by method and outcome. "not_found" is normal for GetParticipant. ' +
          '"unauthenticated" means that key or secret are wrong, "unreachable" that the SFU does not answer.',
        unit: 'ops',
        queries: [perSecond('jwt_service_sfu_calls_total', ['method', 'outcome'])],
      },
      {
        title: 'Duration of SFU calls',
        description: "How long LiveKit's API took to answer, timeouts included.",
        unit: 's',
        queries: percentiles('jwt_service_sfu_call_duration_seconds', ['method']),
      },
      {
        title: 'Webhooks',
        description:
          'Events that the SFU reported. With calls going on, zero means that the SFU is not told where to ' +
          'send them ("webhook.urls" in its configuration): then nobody learns when participants leave.',
        unit: 'ops',
        queries: [perSecond('jwt_service_webhooks_total', ['event'])],
      },
      {
        title: 'Outgoing requests under way',
        description: 'Requests to homeservers and the SFU that are under way, by purpose.',
        unit: 'short',
        queries: [greatest('jwt_service_gate_running', 'gate')],
      },
      {
        title: 'Outgoing requests waiting',
        description:
          'Requests that wait until others have ended, by purpose. A queue that stays means that somebody is ' +
          'slow to answer, or that this replica has too much to do.',
        unit: 'short',
        queries: [greatest('jwt_service_gate_waiting', 'gate')],
      },
      {
        title: 'Questions about members',
        description:
          'Application-service mode: what the homeserver answered when asked who is in a room, for a token or ' +
          'to enforce membership. "failed": it gave no usable answer.',
        unit: 'ops',
        queries: [perSecond('jwt_service_membership_checks_total', ['purpose', 'answer'])],
      },
      {
        title: 'Removals',
        description:
          'Application-service mode: participants who were taken off the SFU, and rooms that were closed, as ' +
          'they were no longer in the Matrix room.',
        unit: 'ops',
        queries: [perSecond('jwt_service_membership_removals_total', ['what', 'outcome'])],
      },
    ],
  },
]
