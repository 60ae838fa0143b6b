import type { Entry } from './entry.ts'

/** What only the `doctor` command finds. */
export const DOCTOR_ENTRIES = {
  'doctor.check-failed': {
    sentence: 'A check of the doctor has failed by a fault of its own.',
    remedy: 'The other findings hold. Please report it, with this line and the version.',
  },
  'access.name-misspelt': {
    sentence: 'The homeserver is not in the list of full access, but a name much like it is.',
    remedy:
      'One of the two is wrong: user IDs end with the right one. If they end with ":{}", write that in ' +
      'LIVEKIT_FULL_ACCESS_HOMESERVERS, letter for letter; if with the one in the list, leave the list, and ' +
      'run the doctor with that name.',
  },
  'sfu.clock-skew': {
    sentence:
      'The clocks of this machine and of the SFU differ: from a minute on, tokens and webhooks are refused.',
    remedy: 'Synchronise both clocks by NTP.',
  },
  'sfu.auto-create-on': {
    sentence:
      'The SFU creates rooms for anybody who comes, so users without full access start calls.',
    remedy: 'Set "room: { auto_create: false }" in LiveKit\'s configuration.',
  },
  'sfu.url-without-tls': {
    sentence:
      'LIVEKIT_URL, which clients are given, has no TLS: browsers refuse it on https pages.',
    remedy:
      'Set LIVEKIT_URL to the public "wss" URL of LiveKit, and LIVEKIT_INTERNAL_URL to where this service ' +
      'reaches it.',
  },
  'sfu.public-url-unclear': {
    sentence: 'LIVEKIT_URL, which clients are given, does not lead to the SFU from here.',
    remedy:
      'If clients reach it, this may be the network of this machine (NAT, DNS); otherwise correct ' +
      'LIVEKIT_URL, or have the proxy there pass on the path "/rtc" with WebSocket upgrades.',
  },
  'sfu.signalling-unclear': {
    sentence:
      'The signalling socket of the SFU does not let a participant into a room that exists.',
    remedy: 'A proxy before the SFU must pass on the path "/rtc", with WebSocket upgrades.',
  },
  'discovery.bad-well-known': {
    sentence:
      'What is served at /.well-known/matrix/server is not the document that belongs there.',
    remedy:
      'Serve {"m.server": "host:port"} there as JSON; another virtual host probably answers for the name.',
  },
  'discovery.bad-m-server': {
    sentence: '"m.server" in /.well-known/matrix/server is no server name.',
    remedy:
      'Write a host, or host:port, there, such as {"m.server": "matrix.example.com:443"}: no "https:", no ' +
      'slash, no path.',
  },
  'discovery.well-known-failed': {
    sentence: 'What serves /.well-known/matrix/server fails.',
    remedy:
      'Look into its log; {"m.server": "host:port"} as JSON, or status 404, is expected there.',
  },
  'federation.only-on-443': {
    sentence: 'The federation API is not reachable on port 8448, but on port 443.',
    remedy: 'Serve /.well-known/matrix/server with {"m.server": "{}:443"}, or open port 8448.',
  },
  'federation.disabled': {
    sentence: 'The homeserver verifies OpenID tokens, but does not federate.',
    remedy:
      'If only users of this homeserver are to make calls, nothing needs to be done: users of others cannot.',
  },
  'federation.accepts-any-token': {
    sentence: 'The homeserver vouches for an OpenID token that nobody issued.',
    remedy: 'What answers is not a proper homeserver: anyone can pose as its users.',
  },
  'federation.other-user': {
    sentence: 'The OpenID token is of another user.',
    remedy: 'Request a new token as the user given with --user.',
  },
  'federation.certificate-expires-soon': {
    sentence: "The homeserver's certificate expires within a fortnight.",
    remedy: 'Renew it, and find out why that has not happened by itself.',
  },
  'federation.clock-skew': {
    sentence: 'The clocks of this machine and of the homeserver differ.',
    remedy: 'Synchronise both clocks by NTP.',
  },
  'client-api.no-cors': {
    sentence: 'Browsers may not read the /.well-known/matrix/client of the homeserver.',
    remedy: 'Serve it with the header "Access-Control-Allow-Origin: *".',
  },
  'client-api.not-matrix': {
    sentence: "What answers at the address of the homeserver's client API is something else.",
    remedy:
      'If it is your homeserver: the proxy must pass /_matrix on to it, and "base_url" of ' +
      '/.well-known/matrix/client, or LIVEKIT_CS_API_URL_OVERRIDES, must lead to the listener with its ' +
      'client API.',
  },
  'transports.well-known-unread': {
    sentence:
      'The /.well-known/matrix/client, where clients find the service, cannot be read from here.',
    remedy:
      'If clients can read it, this may be the network of this machine (NAT, DNS). Otherwise look into the ' +
      'log of what serves it; where it is no JSON, another virtual host probably answers for the name.',
  },
  'transports.none': {
    sentence: 'Clients find no SFU: the homeserver announces none.',
    remedy:
      'Add "org.matrix.msc4143.rtc_foci": [{"type": "livekit", "livekit_service_url": the public URL of ' +
      'this service}] to /.well-known/matrix/client, or transports to the homeserver.',
  },
  'transports.unreachable': {
    sentence: 'The service that clients find cannot be reached from here.',
    remedy:
      'If clients reach it, this may be the network of this machine (NAT, DNS); otherwise correct ' +
      '"livekit_service_url" in /.well-known/matrix/client, or the proxy there.',
  },
  'transports.unavailable': {
    sentence:
      'Clients find a service that cannot serve requests now, or a proxy that cannot reach it.',
    remedy:
      'If status 429, wait and try again. Otherwise see that the service runs, and that the proxy at ' +
      '"livekit_service_url" passes requests on to its address and port; the logs of both say more.',
  },
  'transports.bad-url': {
    sentence: 'The "livekit_service_url" that clients find is no https URL.',
    remedy:
      'Write the public URL of this service there, in /.well-known/matrix/client, beginning with "https:"; ' +
      'the URL of the SFU belongs in LIVEKIT_URL alone.',
  },
  'transports.token-refused': {
    sentence: 'The service that clients find refuses an OpenID token that the homeserver knows.',
    remedy:
      'Look for the request in the log of that service: if it is not there, "livekit_service_url" in ' +
      '/.well-known/matrix/client leads to another one.',
  },
  'transports.elsewhere': {
    sentence: 'The service that clients find is another one, or hands out another SFU.',
    remedy:
      '"livekit_service_url" in /.well-known/matrix/client must be the public URL of this service, and its ' +
      'proxy must pass all paths below it on.',
  },
  'store.redis-too-old': {
    sentence: 'Redis is older than 6.2.',
    remedy: 'Update Redis, or use Valkey.',
  },
  'store.redis-evicts': {
    sentence: 'Redis deletes state when its memory is full.',
    remedy: 'Set "maxmemory-policy noeviction" in its configuration.',
  },
  'store.redis-not-persistent': {
    sentence: 'Redis does not write every change to disk: a crash may lose the last ones.',
    remedy:
      'Run "CONFIG SET appendonly yes" first, then write "appendonly yes" into its configuration.',
  },
  'store.redis-clock-skew': {
    sentence: 'The clocks of this machine and of Redis differ.',
    remedy: 'Synchronise both clocks by NTP.',
  },
  'homeserver.other-server-name': {
    sentence: 'The as_token is of a homeserver with another server name.',
    remedy:
      'LIVEKIT_HS_SERVER_NAME must be the "server_name" of the homeserver that loads the registration file.',
  },
  'homeserver.no-proxy': {
    sentence: 'The homeserver does not pass the requests of clients on to this service.',
    remedy:
      'The registration file needs the proxy keys that "jwt-service registration" prints, and Synapse ' +
      '"experimental_features: { msc4512_enabled: true }".',
  },
  'homeserver.proxy-cannot-reach': {
    sentence: 'The homeserver cannot reach this service.',
    remedy:
      'Start the service; "proxy_url" of the registration file must be where the homeserver reaches it.',
  },
  'service.not-running': {
    sentence: 'The metrics listener of the service does not answer.',
    remedy: 'Start the service with the same LIVEKIT_METRICS_BIND, and run the doctor beside it.',
  },
  'service.another-program': {
    sentence: 'What answers at the address of the metrics listener is another program.',
    remedy:
      'Set LIVEKIT_METRICS_BIND to a port that nothing else uses (9090 is that of Prometheus itself), and ' +
      'restart the service.',
  },
  'service.unready': {
    sentence: 'The running service says that it should not get requests.',
    remedy: 'Look into its log; if it does not recover by itself, restart it.',
  },
  'service.degraded': {
    sentence: 'The running service hands out tokens, but something is wrong with it.',
    remedy: 'Look into its log, and at the other findings here.',
  },
} as const satisfies Readonly<Record<string, Entry>>
