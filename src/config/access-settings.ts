import { serverNames } from './name-parsers.ts'
import { boolean, seconds } from './parsers.ts'
import { setting } from './setting.ts'

/** Settings about who may do what, and for how long. */
export const ACCESS_SETTINGS = {
  fullAccess: setting({
    name: 'LIVEKIT_FULL_ACCESS_HOMESERVERS',
    aliases: ['LIVEKIT_LOCAL_HOMESERVERS'],
    aliasesDeprecated: true,
    defaultText: '* (with a warning)',
    meaning: 'server names whose users may start calls, separated by commas or spaces; "*" for all',
    details: `
The server names whose users have full access: they can start calls, and may hand over delayed
leave events. All other users are restricted: they get tokens too, but can only join a call that
somebody has started. That holds only while "room.auto_create" is false in the configuration of
LiveKit. Names are separated by commas or spaces, and compared as they are written, port and
letter case included. "*" alone means all servers; "*" among names is an error.

Name your homeservers. While it is "*", users of any homeserver can start calls on your SFU and
use its bandwidth, and the service cannot tell your homeserver from those of strangers: it then
lets anyone make it send requests into private networks (see LIVEKIT_FEDERATION_DENY_NETWORKS).
Denied networks do not apply to servers that are named here. The users of a server that is not
named may have 20,000 delegations together, and none of them more than
LIVEKIT_MAX_DELEGATIONS_PER_USER.

LIVEKIT_LOCAL_HOMESERVERS is the former name. Where both are set, the newer one wins.`,
    example: 'example.com,example.org',
    parse: serverNames,
  }),
  restrictedCanPublish: setting({
    name: 'LIVEKIT_RESTRICTED_CAN_PUBLISH',
    defaultText: 'true',
    meaning: 'whether restricted users may publish audio and video',
    details: `
Whether users without full access (see LIVEKIT_FULL_ACCESS_HOMESERVERS) may publish audio and
video in the calls that they join. With "false" they only hear and see the others. It takes true
or false, and also 1 or 0, yes or no, on or off. It does not concern tokens of application-service
mode.`,
    example: 'false',
    parse: boolean,
  }),
  tokenTtlSeconds: setting({
    name: 'LIVEKIT_TOKEN_TTL_SECONDS',
    defaultText: '3600',
    meaning: 'lifetime of the tokens handed out, 60 to 86400',
    details: `
For how many seconds the SFU takes a token that was handed out, from 60 to 86400. Whoever connects
later than that needs a new one.`,
    example: '3600',
    parse: seconds(60, 86_400),
  }),
  canUpdateOwnMetadata: setting({
    name: 'LIVEKIT_CAN_UPDATE_OWN_METADATA',
    defaultText: 'false',
    meaning: 'whether participants may change their own metadata',
    details: `
Whether participants may change their own metadata on the SFU: the grant "canUpdateOwnMetadata" of
their tokens. It takes true or false, and also 1 or 0, yes or no, on or off.`,
    example: 'true',
    parse: boolean,
  }),
}
