import { MEMBERSHIP_SCOPES, PROXY_PREFIX, PROXY_PREFIX_KEYS } from '../config/registration-file.ts'

/** What a registration is made of. */
export interface RegistrationDraft {
  /** Where the homeserver reaches the service, without a slash at the end. */
  readonly url: string
  /** Server name of the homeserver. */
  readonly serverName: string
  readonly asToken: string
  readonly hsToken: string
}

const [PROXY_PREFIX_KEY, UNSTABLE_PROXY_PREFIX_KEY] = PROXY_PREFIX_KEYS

/** A YAML string that every parser reads back exactly, since its text is printable ASCII. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function scopes(key: keyof typeof MEMBERSHIP_SCOPES): string {
  return `${key}:\n  - ${quoted(MEMBERSHIP_SCOPES[key])}`
}

/** Pattern of the user IDs of a server; homeservers anchor such patterns at the start alone. */
function usersOf(serverName: string): string {
  return `^@.*:${serverName.replace(/[.[\]]/g, '\\$&')}$`
}

/**
 * The text of a registration file.
 *
 * @see https://spec.matrix.org/latest/application-service-api/#registration
 */
export function registrationText({ url, serverName, asToken, hsToken }: RegistrationDraft): string {
  return `# jwt-service as an application service of ${serverName}. Keep this file secret: it holds two tokens.

# Any name that no other application service of the homeserver has.
id: 'jwt-service'
# jwt-service shows this to the homeserver,
as_token: ${quoted(asToken)}
# and the homeserver shows this to jwt-service.
hs_token: ${quoted(hsToken)}
# A user of its own, which nobody may have registered before.
sender_localpart: '_jwt-service'
# jwt-service wants no events. Its requests come by proxy_url.
url: null
# If true, the homeserver limits how often delayed leave events of a user are restarted.
rate_limited: false
# The local users, and nobody else. They keep signing in as before, since this is not exclusive.
namespaces:
  users:
    - exclusive: false
      regex: ${quoted(usersOf(serverName))}

# To ask who is in a room.
${scopes('scopes')}
# What the homeserver forwards, and where to.
${PROXY_PREFIX_KEY}: ${quoted(PROXY_PREFIX)}
proxy_url: ${quoted(url)}

# The same three by the names that homeservers know them by until they are part of the specification.
${scopes('io.element.msc4502.scopes')}
${UNSTABLE_PROXY_PREFIX_KEY}: ${quoted(PROXY_PREFIX)}
io.element.msc4512.proxy_url: ${quoted(url)}
`
}

/**
 * What to do with the registration file.
 *
 * @param liveKitUrl - `undefined` while it is not known
 */
export function registrationGuide(serverName: string, liveKitUrl: string | undefined): string {
  const transport =
    liveKitUrl === undefined ? '"<LIVEKIT_URL of jwt-service>"' : JSON.stringify(liveKitUrl)
  return `1. Save the registration file, which is on standard output, as registration.yaml. It is secret:
   mode 600, readable by Synapse and by jwt-service, as a copy for each if they run as different users.

2. Add this to Synapse's homeserver.yaml, and restart Synapse:

app_service_config_files:
  - /path/to/registration.yaml
experimental_features:
  msc4143_enabled: true
  msc4502_enabled: true
  msc4512_enabled: true
max_event_delay_duration: 24h
matrix_rtc:
  transports:
    - type: livekit
      url: ${transport}

3. Add these variables to those of jwt-service, and restart it:

LIVEKIT_AS_REGISTRATION_FILE=/path/to/registration.yaml
LIVEKIT_HS_SERVER_NAME=${serverName}
`
}
