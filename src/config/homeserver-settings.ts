import { networkList } from './name-parsers.ts'
import { INSECURE_CONFIRMATION, insecureSwitch } from './parsers.ts'
import { setting } from './setting.ts'
import { urlOverrides } from './url-parsers.ts'

/** Settings about reaching homeservers. */
export const HOMESERVER_SETTINGS = {
  federationOverrides: setting({
    name: 'LIVEKIT_FEDERATION_URL_OVERRIDES',
    defaultText: 'none',
    meaning: '"server=url,…": where to verify OpenID tokens of a server, instead of discovery',
    details: `
Where to verify the OpenID tokens of certain homeservers, instead of discovering it by their
server names: pairs "server=url", separated by commas or spaces. URLs are base URLs that begin
with http:// or https://. Use it for a homeserver on the same container network, or one that the
service cannot reach by its public address. What listens there must serve
/_matrix/federation/v1/openid/userinfo: in Synapse, a listener with the resource "federation" or
"openid". Denied networks do not apply to these URLs. With http:// the OpenID tokens cross the
network as they are.`,
    example: 'example.com=http://synapse:8008',
    parse: urlOverrides,
  }),
  clientApiOverrides: setting({
    name: 'LIVEKIT_CS_API_URL_OVERRIDES',
    defaultText: 'none',
    meaning: '"server=url,…": client API of a server, instead of /.well-known/matrix/client',
    details: `
Where the client API of certain homeservers is, instead of asking their
/.well-known/matrix/client: pairs "server=url", separated by commas or spaces. URLs are base URLs
that begin with http:// or https://. The service restarts and sends delayed leave events there.
Without an override "base_url" in .well-known must be https. Denied networks do not apply to these
URLs.

In application-service mode, all requests to your homeserver go there too, and carry the as_token.
With http:// it crosses the network as it is: keep that network to yourself, and set no HTTP_PROXY
for it.`,
    example: 'example.com=http://synapse:8008',
    parse: urlOverrides,
  }),
  deniedNetworks: setting({
    name: 'LIVEKIT_FEDERATION_DENY_NETWORKS',
    defaultText:
      'every range that is not publicly routable, but no private one while everyone has full access',
    meaning:
      'networks that discovery may not lead to, beside loopback and link-local; "none" for none at all',
    details: `
Networks that the service does not connect to when a server name leads into them, since anyone can
make it look any name up. By default these are loopback, private, unique-local, CGNAT, link-local,
multicast, reserved and documentation ranges, and such IPv4 addresses inside of IPv6 ones. While
LIVEKIT_FULL_ACCESS_HOMESERVERS is "*", the default leaves out private, unique-local and CGNAT
ranges, with a warning, because your own homeserver may be there and cannot be told from others.

A list of your own replaces the default, but loopback, link-local and unspecified addresses stay
denied, unless LIVEKIT_FEDERATION_ALLOW_NETWORKS names them or the list is "none". It never
applies to servers that LIVEKIT_FULL_ACCESS_HOMESERVERS names, nor to the URLs of overrides.`,
    example: '10.0.0.0/8,fd00::/8',
    parse: networkList,
  }),
  allowedNetworks: setting({
    name: 'LIVEKIT_FEDERATION_ALLOW_NETWORKS',
    defaultText: 'none',
    meaning: 'exceptions to LIVEKIT_FEDERATION_DENY_NETWORKS',
    details: `
Networks and addresses that the service may connect to although LIVEKIT_FEDERATION_DENY_NETWORKS
or its default denies them: for homeservers on a private network whose names you do not want to
list in LIVEKIT_FULL_ACCESS_HOMESERVERS. Strangers can make it send requests there.`,
    example: '10.1.2.3,fd00::/64',
    parse: networkList,
  }),
  insecureSkipVerifyTls: setting({
    name: 'LIVEKIT_INSECURE_SKIP_VERIFY_TLS',
    defaultText: 'certificates are checked',
    meaning: `only "${INSECURE_CONFIRMATION}" turns certificate checks of homeservers off`,
    details: `
Turns the certificate checks of homeservers off, and only when it is "${INSECURE_CONFIRMATION}".
Anyone on the network path can then pose as any user, so never do this in production. It does not
apply to the SFU. For an authority of your own use NODE_EXTRA_CA_CERTS.`,
    example: INSECURE_CONFIRMATION,
    parse: insecureSwitch,
  }),
}
