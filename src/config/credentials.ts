import type { LiveKitCredentials } from '../livekit/access-token.ts'
import type { SettingsReader } from './reader.ts'
import { SETTINGS } from './settings.ts'
import { secretWarning } from './special-parsers.ts'

function credentialsFromKeyFile(reader: SettingsReader): LiveKitCredentials | undefined {
  const { keyFile, apiKey, apiSecret } = SETTINGS
  const path = reader.read(keyFile)
  if (path === undefined) return undefined
  const overruled = [apiKey, apiSecret].flatMap(reader.variablesSet)
  for (const name of overruled) reader.warn(name, `is ignored, since ${keyFile.name} is set`)

  const text = reader.readFile(keyFile.name, path)
  if (text === undefined) return undefined
  const [key = '', secret = '', ...rest] = text.split(':').map((part) => part.trim())
  if (key === '' || secret === '' || rest.length > 0) {
    reader.problem(keyFile.name, 'names a file with something else; expected "key: secret" in it')
    return undefined
  }
  const warning = secretWarning(secret)
  if (warning !== undefined) reader.warn(keyFile.name, warning)
  return { apiKey: key, apiSecret: secret }
}

function credentialsFromVariables(reader: SettingsReader): LiveKitCredentials | undefined {
  const apiKey = reader.require(SETTINGS.apiKey)
  const apiSecret = reader.require(SETTINGS.apiSecret)
  if (apiKey === undefined || apiSecret === undefined) return undefined
  return { apiKey, apiSecret }
}

/** The key pair, from wherever it is given; `undefined` after noting what is wrong. */
export function readCredentials(reader: SettingsReader): LiveKitCredentials | undefined {
  const hasKeyFile = reader.variablesSet(SETTINGS.keyFile).length > 0
  return hasKeyFile ? credentialsFromKeyFile(reader) : credentialsFromVariables(reader)
}
