import { bindAddress, portAlone, rateLimit } from './http-parsers.ts'
import { networkList } from './name-parsers.ts'
import { oneOf } from './parsers.ts'
import { setting } from './setting.ts'

/** Settings about the public listener. */
export const HTTP_SETTINGS = {
  bind: setting({
    name: 'LIVEKIT_JWT_BIND',
    defaultText: ':8080',
    meaning: 'where to listen: ":port" (all interfaces), "host:port" or "[v6]:port"',
    details: `
Where the service listens: ":port" for all interfaces, IPv4 and IPv6; "host:port" for one IPv4
address or host name; "[v6]:port" for one IPv6 address. With port 0 the system chooses. The
service speaks plain HTTP: TLS is the business of the reverse proxy. "jwt-service healthcheck"
asks where this variable of its own environment says, so set it for both.`,
    example: ':8080',
    parse: bindAddress,
  }),
  port: setting({
    name: 'LIVEKIT_JWT_PORT',
    replacedBy: 'LIVEKIT_JWT_BIND',
    defaultText: 'none',
    meaning: 'deprecated, use LIVEKIT_JWT_BIND: the port alone',
    details: `
The port alone, on all interfaces. It is deprecated: LIVEKIT_JWT_BIND=:8080 says the same. Setting
both is an error. Kubernetes sets it to something like tcp://10.0.0.1:8080 when a Service happens
to be called "livekit-jwt"; such a value is ignored.`,
    example: '8080',
    parse: portAlone,
  }),
  trustedProxies: setting({
    name: 'LIVEKIT_TRUSTED_PROXIES',
    defaultText: 'loopback and private networks',
    meaning: 'networks whose X-Forwarded-For is believed, separated by commas; "none" for none',
    details: `
The networks of your reverse proxies: whoever connects from them is believed when X-Forwarded-For
names the client, whose address counts for LIVEKIT_RATE_LIMIT. The client is the right-most
address in that header that is in none of these networks. "none" means that the header is never
believed.

With the default, everybody in a private network can name any address, and so use up the limit of
others and escape their own. That includes everybody whose address a NAT such as Docker's replaces
by a private one. Where that matters, name your proxy alone. A list of your own replaces the
default, so behind a content delivery network name its ranges and your own proxy.`,
    example: '10.0.0.5,2001:db8::/32',
    parse: networkList,
  }),
  rateLimit: setting({
    name: 'LIVEKIT_RATE_LIMIT',
    defaultText: 'on (an address: 50/1000; a user: 2/20)',
    meaning:
      'requests a second and burst of an address, such as "10/50"; "on" for the default, "off" for no ' +
      'limit of any kind',
    details: `
How many requests one address may send: requests a second, and how many it may send at once after
a rest. "on" means 50/1000, enough for 500 people behind one address who start a call at once. An
IPv6 address counts together with its /64. A request that fails to prove who sent it counts
double. What is over the limit is answered with 429 and the time to wait.

Beside that each verified user may send 2 requests a second, 20 at once. In application-service
mode the same holds for the user that the homeserver names, and 50 a second, 1000 at once, for
another homeserver that it names. "off" turns off all of these, but not
LIVEKIT_MAX_DELEGATIONS_PER_USER.`,
    example: '10/50',
    parse: rateLimit,
  }),
  swagger: setting({
    name: 'LIVEKIT_SWAGGER',
    defaultText: 'on',
    meaning: 'the API pages at /swagger, "on" or "off"',
    details: `
Whether the pages that document the API are served, at /swagger and /swagger/json. They come from
the program itself and load nothing from elsewhere. "off" removes both.`,
    example: 'off',
    parse: oneOf('on', 'off'),
  }),
}
