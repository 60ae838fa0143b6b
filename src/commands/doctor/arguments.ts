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

/** How the command is used, in one line. */
export const USAGE =
  'jwt-service doctor [server name] [--token T] [--user @u:server] [--json] (--token - reads it from the input)'

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch {
    return undefined
  }
}

/** What stands for a token that comes from standard input, where other users of the machine do not see it. */
export const TOKEN_FROM_INPUT = '-'

/** Reads the arguments, or says what is wrong with them; texts are not repeated, as they may be secret. */
export function readDoctorArguments(args: readonly string[]): DoctorArguments | string {
  const parsed = parse(args)
  if (parsed === undefined) return `unknown option, or one without its value; expected ${USAGE}`
  const { token, user, json } = parsed.values
  const [name, ...others] = parsed.positionals
  if (others.length > 0) return `more than one server name; expected ${USAGE}`
  const userServer = user === undefined ? undefined : serverNameOfUser(user)
  if (user !== undefined && userServer === undefined) {
    return '--user: is no user ID; expected one such as @alice:example.com'
  }
  const serverName = name ?? userServer
  if (serverName !== undefined && parseServerName(serverName) === undefined) {
    return 'the server name is none; expected one such as example.com, without "https://"'
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
