import { noteLine } from '../../src/config/reader.ts'
import { type Config, type LoadedConfig, loadConfig } from '../../src/config.ts'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'

/** An environment that has all that is required. */
export const required = {
  LIVEKIT_URL: 'wss://livekit.example.com',
  ...CREDENTIAL_SETTINGS,
  LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
} as const

/** What is said of a file that does not exist. */
export const NO_FILE =
  'names a file that does not exist (ENOENT); ' +
  `expected a file that user ${process.getuid?.()}, who runs the service, can read: ` +
  'correct the path; in a container, check that the file is mounted at this path'

/** Variables; `undefined` is one that is not set. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Text of files by path; any other path does not exist. */
export type Files = Readonly<Record<string, string>>

/** Loads an environment on top of {@link required}; `undefined` takes a variable away. */
export function load(env: Environment = {}, files: Files = {}): LoadedConfig {
  return loadConfig({ ...required, ...env }, (path) => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  })
}

/**
 * The configuration that an environment gives.
 *
 * @throws {Error} when it has problems or warnings
 */
export function quietly(env: Environment, files: Files = {}): Config {
  const { config, problems, warnings } = load(env, files)
  if (config === undefined || warnings.length > 0) {
    throw new Error([...problems, ...warnings].map(noteLine).join('\n'))
  }
  return config
}

/** What stops the start in an environment. */
export function problemsOf(env: Environment, files: Files = {}): readonly string[] {
  return load(env, files).problems.map(noteLine)
}

/** What an environment is warned about. */
export function warningsOf(env: Environment, files: Files = {}): readonly string[] {
  return load(env, files).warnings.map(noteLine)
}
