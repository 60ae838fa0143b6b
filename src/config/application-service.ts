import {
  APPLICATION_SERVICE_SETTINGS,
  DEFAULT_CHECK_SECONDS,
} from './application-service-settings.ts'
import type { SettingsReader } from './reader.ts'
import {
  type ApplicationServiceTokens,
  mayCoverUsersOf,
  type Registration,
  readRegistration,
} from './registration-file.ts'
import { expectation, type Setting } from './setting.ts'

/** What the service needs to be an application service of a homeserver. */
export interface ApplicationServiceConfig extends ApplicationServiceTokens {
  /** Server name of that homeserver. */
  readonly serverName: string
  /** How often it is checked who is still in the room; 0 for never. */
  readonly membershipCheckMs: number
}

const { registrationFile, asToken, hsToken, homeserver, membershipCheckSeconds } =
  APPLICATION_SERVICE_SETTINGS
const TOKENS_EXPECTED = `${registrationFile.name}, or ${asToken.name} and ${hsToken.name}`

/** The variable that gives a setting, if any; a file wins over the text. */
function sourceOf(reader: SettingsReader, setting: Setting<unknown>): string | undefined {
  return reader.variablesSet(setting).at(-1)
}

/** What gives tokens to the service, if anything. */
function tokenSources(reader: SettingsReader): readonly string[] {
  return [registrationFile, asToken, hsToken].flatMap((each) => sourceOf(reader, each) ?? [])
}

function tokensFromVariables(reader: SettingsReader): ApplicationServiceTokens | undefined {
  const as = reader.read(asToken)
  const hs = reader.read(hsToken)
  const asSource = sourceOf(reader, asToken)
  const hsSource = sourceOf(reader, hsToken)
  if (asSource === undefined || hsSource === undefined) {
    const missing = asSource === undefined ? asToken.name : hsToken.name
    reader.problem(
      missing,
      `is not set, but ${asSource ?? hsSource} is; expected both, or ${registrationFile.name}`,
    )
    return undefined
  }
  if (as === undefined || hs === undefined) return undefined
  if (as === hs) {
    reader.problem(hsSource, `is the same as ${asSource}; expected two different tokens`)
  }
  return { asToken: as, hsToken: hs }
}

/** Notes variables that contradict the registration file. */
function compareTokens(reader: SettingsReader, registration: Registration | undefined): void {
  for (const [setting, key] of [
    [asToken, 'asToken'],
    [hsToken, 'hsToken'],
  ] as const) {
    const token = reader.read(setting)
    if (token === undefined || registration === undefined || token === registration[key]) continue
    reader.problem(
      sourceOf(reader, setting) ?? setting.name,
      `is not the token in the file that ${registrationFile.name} names; ` +
        'expected the same, or only one of the two',
    )
  }
}

function checkNamespaces(reader: SettingsReader, serverName: string, registration: Registration) {
  if (mayCoverUsersOf(serverName, registration)) return
  reader.problem(
    homeserver.name,
    `names a server whose users are in no namespace of the file that ${registrationFile.name} names; ` +
      'expected "namespaces", "users" to have a regex for the users of this server',
    'configuration.registration-of-another-server',
  )
}

function readTokens(reader: SettingsReader, serverName: string | undefined) {
  if (sourceOf(reader, registrationFile) === undefined) return tokensFromVariables(reader)
  const path = reader.read(registrationFile)
  const registration =
    path === undefined ? undefined : readRegistration(reader, registrationFile.name, path)
  compareTokens(reader, registration)
  if (registration !== undefined && serverName !== undefined) {
    checkNamespaces(reader, serverName, registration)
  }
  return registration
}

/** Notes settings that mean something in application-service mode alone. */
function checkMode(reader: SettingsReader, checkSeconds: number): void {
  const [source] = tokenSources(reader)
  const hasServer = sourceOf(reader, homeserver) !== undefined
  if (source !== undefined && !hasServer) {
    reader.problem(
      homeserver.name,
      `is not set, but ${source} is; ${expectation('the server name of your homeserver', homeserver)}`,
    )
  }
  if (source !== undefined) return
  if (hasServer) {
    reader.problem(homeserver.name, `is set without tokens; expected ${TOKENS_EXPECTED} as well`)
  }
  // 0 asks for nothing that would not happen.
  if (checkSeconds !== DEFAULT_CHECK_SECONDS && checkSeconds !== 0) {
    reader.problem(
      membershipCheckSeconds.name,
      `is set without tokens; expected ${TOKENS_EXPECTED} as well`,
    )
  }
}

/** Application-service mode, when it is wanted; `undefined` otherwise, or after noting what is wrong. */
export function applicationService(reader: SettingsReader): ApplicationServiceConfig | undefined {
  const serverName = reader.read(homeserver)
  const checkSeconds = reader.read(membershipCheckSeconds) ?? DEFAULT_CHECK_SECONDS
  checkMode(reader, checkSeconds)
  if (tokenSources(reader).length === 0) return undefined

  const tokens = readTokens(reader, serverName)
  if (tokens === undefined || serverName === undefined) return undefined
  return {
    asToken: tokens.asToken,
    hsToken: tokens.hsToken,
    serverName,
    membershipCheckMs: checkSeconds * 1000,
  }
}
