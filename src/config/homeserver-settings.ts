import { INSECURE_CONFIRMATION, insecureSwitch, networkList, urlOverrides } from './parsers.ts'
import { setting } from './reader.ts'

/** Settings about reaching homeservers. */
export const HOMESERVER_SETTINGS = {
  federationOverrides: setting({
    name: 'LIVEKIT_FEDERATION_URL_OVERRIDES',
    defaultText: 'none',
    meaning: '"server=url,…": where to verify OpenID tokens of a server, instead of discovery',
    parse: urlOverrides,
  }),
  deniedNetworks: setting({
    name: 'LIVEKIT_FEDERATION_DENY_NETWORKS',
    defaultText:
      'every range that is not publicly routable, but no private one while everyone has full access',
    meaning:
      'networks that discovery may not lead to, beside loopback and link-local; "none" for none at all',
    parse: networkList,
  }),
  allowedNetworks: setting({
    name: 'LIVEKIT_FEDERATION_ALLOW_NETWORKS',
    defaultText: 'none',
    meaning: 'exceptions to the above',
    parse: networkList,
  }),
  insecureSkipVerifyTls: setting({
    name: 'LIVEKIT_INSECURE_SKIP_VERIFY_TLS',
    defaultText: 'certificates are checked',
    meaning: `only "${INSECURE_CONFIRMATION}" turns certificate checks of homeservers off`,
    parse: insecureSwitch,
  }),
  clientApiOverrides: setting({
    name: 'LIVEKIT_CS_API_URL_OVERRIDES',
    defaultText: 'none',
    meaning: '"server=url,…": client API of a server, instead of /.well-known/matrix/client',
    parse: urlOverrides,
  }),
}
