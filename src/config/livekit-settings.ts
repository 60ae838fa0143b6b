import { anyText } from './parsers.ts'
import { signingSecret } from './secret-parsers.ts'
import { setting } from './setting.ts'
import { url } from './url-parsers.ts'

/** Settings about the SFU. */
export const LIVEKIT_SETTINGS = {
  liveKitUrl: setting({
    name: 'LIVEKIT_URL',
    defaultText: 'required',
    meaning: "the SFU's WebSocket URL as clients reach it",
    details: `
The URL at which clients reach the SFU. They are handed it unchanged, beside their token. It
begins with wss://, ws://, https:// or http://, and may have a path prefix. It has no user name,
password, query or fragment. Pages that are served over HTTPS can only connect to wss:// or
https://.

The service itself calls the API of the SFU at the same URL, unless LIVEKIT_INTERNAL_URL names
another.`,
    example: 'wss://matrix-rtc.example.com/livekit/sfu',
    parse: url('wss', 'ws', 'https', 'http'),
  }),
  liveKitInternalUrl: setting({
    name: 'LIVEKIT_INTERNAL_URL',
    defaultText: 'LIVEKIT_URL',
    meaning: "where the service itself reaches the SFU's API, when that differs",
    details: `
Where the service itself reaches the API of the SFU, to create rooms and to ask for participants.
Set it where LIVEKIT_URL leads nowhere from the service: behind a router without hairpin NAT, or
when both are in one container network. Clients still get LIVEKIT_URL. The forms are those of
LIVEKIT_URL.`,
    example: 'http://livekit:7880',
    parse: url('wss', 'ws', 'https', 'http'),
  }),
  apiKey: setting({
    name: 'LIVEKIT_KEY',
    aliases: ['LIVEKIT_API_KEY'],
    fromFile: true,
    secret: true,
    defaultText: 'required',
    meaning: 'the API key of the SFU',
    details: `
The API key of the SFU: one of those under "keys" in the configuration of LiveKit.
"webhook.api_key" there must be the same one, since webhooks by another key are refused.`,
    example: 'devkey',
    parse: anyText,
  }),
  apiSecret: setting({
    name: 'LIVEKIT_SECRET',
    aliases: ['LIVEKIT_API_SECRET'],
    fromFile: true,
    secret: true,
    defaultText: 'required',
    meaning: 'the API secret of the SFU',
    details: `
The secret that LIVEKIT_KEY has in the configuration of LiveKit. It signs the tokens of clients,
and webhooks must be signed with it. Below 32 characters there is a warning: whoever holds one
token can guess such a secret. "openssl rand -hex 32" makes a good one.`,
    example: 'a-secret-of-at-least-thirty-two-characters',
    parse: signingSecret,
  }),
  keyFile: setting({
    name: 'LIVEKIT_KEY_FILE',
    mistakenNames: ['LIVEKIT_SECRET_FILE', 'LIVEKIT_API_KEY_FILE', 'LIVEKIT_API_SECRET_FILE'],
    defaultText: 'none',
    meaning: 'a file that holds "key: secret"; wins over LIVEKIT_KEY and LIVEKIT_SECRET',
    details: `
A file that holds both the API key and the secret of the SFU, as one line "key: secret". Spaces
around either do not count, and neither has a colon in it. It wins over LIVEKIT_KEY,
LIVEKIT_SECRET, their aliases and their files, with a warning for each of them that is set.`,
    example: '/run/secrets/livekit_keys',
    parse: anyText,
  }),
}
