import { parseArgs } from 'node:util'
import { parseServerName, serverNameOfUser } from '../../matrix/server-name.ts'

/** What the `doctor` command is asked to look at. */
export interface DoctorArguments {
  /** Server name of a homeserver; `undefined` to look at the service's own surroundings alone. */
  readonly serverName: string | undefined
  /** Secret: an OpenID token of a user of that homeserver. */
  readonly token: string | undefined
  /** The user that the token should be of. */
  readonly user: string | undefined
  readonly json: boolean
}

const OPTIONS = {
  token: { type: 'string' },
  user: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

const USAGE =
  'jwt-service doctor [server name] [--token T] [--user @u:server] [--json] (--token - reads it from the input)'

/** How the command is used, and where its token comes from. */
export const DOCTOR_HELP = `${USAGE}
T is an OpenID token: the "access_token" in the answer of the user's homeserver to a POST of {} to
/_matrix/client/v3/user/{userId}/openid/request_token with "Authorization: Bearer A". A is an access
token of the user, which clients show in their settings.
`

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch {
    return undefined
  }
}

/** What stands for a token that comes from standard input, where other users of the machine do not see it. */
export const TOKEN_FROM_INPUT = '-'

function whyNoServerName(text: string): string {
  if (serverNameOfUser(text) === undefined) {
    return 'the argument is not a server name; expected one such as example.com, without "https://"'
  }
  return 'the argument is a user ID; expected a server name such as example.com, or --user before it, with --token'
}

/** Reads the arguments, or says what is wrong with them; texts are not repeated, as they may be secret. */
export function readDoctorArguments(args: readonly string[]): DoctorArguments | string {
  const parsed = parse(args)
  if (parsed === undefined) return `unknown option, or one without its value; expected ${USAGE}`
  const { token, user, json } = parsed.values
  const [name, ...others] = parsed.positionals
  if (others.length > 0) return `more than one server name; expected ${USAGE}`
  const userServer = user === undefined ? undefined : serverNameOfUser(user)
  if (user !== undefined && parseServerName(userServer ?? '') === undefined) {
    return '--user: is no user ID; expected one such as @alice:example.com'
  }
  const serverName = name ?? userServer
  if (serverName !== undefined && parseServerName(serverName) === undefined) {
    return whyNoServerName(serverName)
  }
  if (userServer !== undefined && userServer !== serverName) {
    return '--user: is a user of another server than the one to look at'
  }
  if (token !== undefined && serverName === undefined) {
    return '--token: needs the server name of the homeserver that issued it'
  }
  if (user !== undefined && token === undefined) {
    return '--user: needs --token, an OpenID token of that user'
  }
  return { serverName, token, user, json }
}
