import type { DelayedEventCode } from '../matrix/delayed-events.ts'
import type { ExchangeProblem } from '../matrix/exchange-trouble.ts'
import type { FederationCode } from '../matrix/verification-error.ts'
import type { Entry } from './entry.ts'

/** How the API of other servers, or that of clients, is called, and what the operator can set for it. */
interface Api {
  readonly name: string
  /** The setting that says where it is. */
  readonly override: string
  /** Where its address comes from. */
  readonly source: string
  /** The name that its certificate must have. */
  readonly certified: string
}

const FEDERATION: Api = {
  name: 'federation API',
  override: 'LIVEKIT_FEDERATION_URL_OVERRIDES',
  source: '/.well-known/matrix/server or SRV records',
  certified:
    'the server name, or for the host in /.well-known/matrix/server; never for the target of an SRV record',
}
const CLIENT_API: Api = {
  name: 'client API',
  override: 'LIVEKIT_CS_API_URL_OVERRIDES',
  source: '/.well-known/matrix/client',
  certified: 'the host in "base_url" of /.well-known/matrix/client',
}

/** What is the same for both. */
function exchangeEntries(api: Api): Readonly<Record<ExchangeProblem, Entry>> {
  const { name, override, source, certified } = api
  const orOverride = `${override} can name another URL for a homeserver on your own network.`
  const address = `its address, in ${override} if that names it, else in ${source}`
  const forYours = 'If it is your homeserver:'
  return {
    refused: {
      sentence: `Nothing listens at the address of the homeserver's ${name}.`,
      remedy: `${forYours} open the port, or correct ${address}. ${orOverride}`,
    },
    closed: {
      sentence: `The homeserver closed the connection to its ${name} without an answer.`,
      remedy:
        `${forYours} look into the log of the proxy before it; the port must speak TLS, unless its URL in ` +
        `${override} begins with "http:".`,
    },
    unreachable: {
      sentence: `There is no route to the homeserver's ${name}.`,
      remedy: `Check the network here (IPv6 too); ${orOverride}`,
    },
    timeout: {
      sentence: `The homeserver's ${name} did not answer in time.`,
      remedy: `${forYours} check firewall and load; ${orOverride}`,
    },
    'no-address': {
      sentence: `The host of the homeserver's ${name} has no address.`,
      remedy: `${forYours} correct ${address}; in a container, its name servers must know the host.`,
    },
    'dns-failed': {
      sentence: `The name server did not answer the question for the homeserver's address.`,
      remedy: 'Check the name servers in /etc/resolv.conf of this machine or container.',
    },
    'denied-address': {
      sentence: `The homeserver's ${name} has an address that strangers may not lead to.`,
      remedy:
        'LIVEKIT_FEDERATION_ALLOW_NETWORKS={} would allow it; so would naming your own homeserver in ' +
        'LIVEKIT_FULL_ACCESS_HOMESERVERS. Leave it denied unless it is yours: anybody can name any server.',
    },
    'certificate-expired': {
      sentence: "The homeserver's certificate has expired.",
      remedy: `${forYours} renew it, and have its proxy load the new one; check the clock here.`,
    },
    'certificate-not-yet-valid': {
      sentence: "The homeserver's certificate is not valid yet.",
      remedy: 'Set the clock of this machine, and of the one that issued the certificate.',
    },
    'certificate-for-another-name': {
      sentence: "The homeserver's certificate is for another name.",
      remedy: `${forYours} it needs one for ${certified}. Where ${override} names a URL, for the host in that.`,
    },
    'certificate-untrusted': {
      sentence: "The homeserver's certificate is not signed by an authority that is trusted here.",
      remedy:
        `${forYours} serve the whole chain, or name a PEM file with the root in NODE_EXTRA_CA_CERTS; an ` +
        'old image has old roots.',
    },
    'tls-failed': {
      sentence: `The homeserver's ${name} and this service could not agree on TLS.`,
      remedy: `${forYours} the port must speak TLS, version 1.2 or newer; otherwise correct ${source}.`,
    },
    unavailable: {
      sentence: `The homeserver, or a proxy before it, cannot serve its ${name} now.`,
      remedy: `${forYours} check whether it runs, and its log.`,
    },
    'malformed-answer': {
      sentence: `What answers at the address of the homeserver's ${name} does not speak proper HTTP.`,
      remedy: `${forYours} check the port, and the proxy before it.`,
    },
    'answer-too-large': {
      sentence: `The answer of the homeserver's ${name} is larger than any proper one.`,
      remedy: `${forYours} check what answers there.`,
    },
    'bad-redirect': {
      sentence: `The well-known document of the homeserver redirects to a place that must not be followed.`,
      remedy: `${forYours} serve the document at its own path, or redirect to an https URL, once.`,
    },
    'connection-failed': {
      sentence: `The connection to the homeserver's ${name} failed.`,
      remedy: `${forYours} check its TLS configuration.`,
    },
    busy: {
      sentence: 'Too many requests to homeservers are under way.',
      remedy:
        'If it lasts: name your own homeservers in LIVEKIT_FULL_ACCESS_HOMESERVERS; those go first.',
    },
    'given-up': { sentence: 'Nobody waits for the answer any more.' },
  }
}

type Prefixed<Area extends string> = Readonly<Record<`${Area}.${ExchangeProblem}`, Entry>>

function prefixed<Area extends string>(area: Area, api: Api): Prefixed<Area> {
  const entries = Object.entries(exchangeEntries(api))
  return Object.fromEntries(
    entries.map(([problem, entry]) => [`${area}.${problem}`, entry]),
  ) as Prefixed<Area>
}

const PROXY_PATHS = 'the proxy must pass /_matrix on to the homeserver'

/** Verification of OpenID tokens, and the client API of homeservers. */
export const HOMESERVER_ENTRIES: Readonly<Record<FederationCode | DelayedEventCode, Entry>> = {
  ...prefixed('federation', FEDERATION),
  'federation.invalid-name': {
    sentence: 'A client sent a server name that is not valid.',
  },
  'federation.token-refused': {
    sentence: 'The homeserver does not know the OpenID token, or it has expired.',
    remedy:
      'If it happens to all users of your homeserver: /.well-known/matrix/server, or ' +
      'LIVEKIT_FEDERATION_URL_OVERRIDES, leads to another one.',
  },
  'federation.no-openid': {
    sentence: 'The homeserver does not serve the endpoint that verifies OpenID tokens.',
    remedy:
      'Add the resource "openid" (or "federation") to the listener of your homeserver that other servers ' +
      `reach; ${PROXY_PATHS}.`,
  },
  'federation.not-matrix': {
    sentence: 'What answers for the homeserver is not a Matrix server.',
    remedy:
      `If it is your homeserver: ${PROXY_PATHS}, and /.well-known/matrix/server must name the ` +
      'host and port that do.',
  },
  'federation.unexpected-answer': {
    sentence: "The homeserver's answer to an OpenID token is neither a user nor a refusal.",
    remedy: 'Look for the request in the log of the homeserver, and of the proxy before it.',
  },
  'federation.foreign-user': {
    sentence: 'A homeserver vouched for a user of another one.',
    remedy:
      'If it is your homeserver: /.well-known/matrix/server, or LIVEKIT_FEDERATION_URL_OVERRIDES, leads ' +
      'to one with another server name.',
  },
  ...prefixed('client-api', CLIENT_API),
  'client-api.invalid-name': {
    sentence: 'A client sent a server name that is not valid.',
  },
  'client-api.no-well-known': {
    sentence: 'The homeserver has no /.well-known/matrix/client.',
    remedy:
      'Serve it at the server name, or set LIVEKIT_CS_API_URL_OVERRIDES for your homeserver; without it no ' +
      'leave can be sent for users who lose their connection.',
  },
  'client-api.bad-well-known': {
    sentence: 'The /.well-known/matrix/client of the homeserver names no usable client API.',
    remedy:
      'Set "base_url" under "m.homeserver" to an https URL, or LIVEKIT_CS_API_URL_OVERRIDES for your ' +
      'homeserver; where something else than JSON is served, another virtual host probably answers.',
  },
  'delayed-events.unsupported': {
    sentence: 'The homeserver does not support delayed events (MSC4140).',
    remedy: 'Synapse needs "max_event_delay_duration" in its configuration, such as 24h.',
  },
  'delayed-events.rate-limited': {
    sentence: 'The homeserver limits how often delayed events may be restarted.',
    remedy:
      'Raise "rc_delayed_event_mgmt" of Synapse: it counts all requests of this service as one client.',
  },
  'delayed-events.refused': {
    sentence: 'The homeserver refused to act on a delayed event.',
    remedy: `Look for the request in its log; ${PROXY_PATHS}.`,
  },
  'delayed-events.bad-answer': {
    sentence: 'The homeserver did not say what the delayed event is.',
    remedy: 'Application-service mode needs a homeserver that can read delayed events: update it.',
  },
}
