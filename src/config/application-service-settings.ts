import { serverName } from './name-parsers.ts'
import { filePath, seconds } from './parsers.ts'
import { bearerToken } from './secret-parsers.ts'
import { setting } from './setting.ts'

/** How often membership is checked unless the operator says so. */
export const DEFAULT_CHECK_SECONDS = 60

/** Settings of application-service mode. */
export const APPLICATION_SERVICE_SETTINGS = {
  registrationFile: setting({
    name: 'LIVEKIT_AS_REGISTRATION_FILE',
    defaultText: 'none',
    meaning: 'application-service mode: the registration file (YAML), for its tokens',
    details: `
Turns application-service mode on: clients then ask their homeserver for a token, and it asks this
service. The file is the one that the homeserver has of this service, in YAML; its two tokens are
taken from it. "jwt-service registration" makes one, and says what to add to Synapse. The path
begins with "/", "./" or "../". LIVEKIT_HS_SERVER_NAME must be set as well.

What contradicts itself stops the start: a prefix other than "rtc/livekit", LIVEKIT_AS_TOKEN or
LIVEKIT_HS_TOKEN with other tokens than those in the file, or namespaces that cannot hold users of
the server. A file that gives the service too few rights is warned about.`,
    example: '/data/registration.yaml',
    parse: filePath,
  }),
  asToken: setting({
    name: 'LIVEKIT_AS_TOKEN',
    fromFile: true,
    secret: true,
    defaultText: 'that in LIVEKIT_AS_REGISTRATION_FILE',
    meaning: 'the as_token by itself, which this service shows to the homeserver',
    details: `
The "as_token" of the registration by itself, which this service shows to the homeserver. Together
with LIVEKIT_HS_TOKEN it turns application-service mode on, without LIVEKIT_AS_REGISTRATION_FILE.
Where the file is given too, both must agree. Below 32 characters there is a warning.`,
    example: 'a-token-of-at-least-thirty-two-characters',
    parse: bearerToken,
  }),
  hsToken: setting({
    name: 'LIVEKIT_HS_TOKEN',
    fromFile: true,
    secret: true,
    defaultText: 'that in LIVEKIT_AS_REGISTRATION_FILE',
    meaning: 'the hs_token by itself, which the homeserver shows to this service',
    details: `
The "hs_token" of the registration by itself, which the homeserver shows to this service. It needs
LIVEKIT_AS_TOKEN beside it, and must be another token than that. Where
LIVEKIT_AS_REGISTRATION_FILE is given too, both must agree. Below 32 characters there is a
warning.`,
    example: 'another-token-of-at-least-32-characters',
    parse: bearerToken,
  }),
  homeserver: setting({
    name: 'LIVEKIT_HS_SERVER_NAME',
    defaultText: 'required in application-service mode',
    meaning: 'server name of the homeserver that this is an application service of',
    details: `
The server name of the homeserver that this service is an application service of, as in the user
IDs of its users. Its client API is found by LIVEKIT_CS_API_URL_OVERRIDES, or by its
/.well-known/matrix/client. It is required in application-service mode, and an error without the
tokens of that mode.`,
    example: 'example.com',
    parse: serverName,
  }),
  membershipCheckSeconds: setting({
    name: 'LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS',
    defaultText: String(DEFAULT_CHECK_SECONDS),
    meaning:
      'how often whoever has left the room is put out of its call (application-service mode); 0 for never',
    details: `
How often, in seconds from 0 to 86400, the homeserver is asked in application-service mode who is
still in the Matrix room of a call; it is asked at every join as well. Whoever is not is removed
from the SFU, as often as they come back with an old token. 0 means never. Without the tokens of
that mode, a value other than 60 or 0 is an error.`,
    example: '30',
    parse: seconds(0, 86_400),
  }),
}
