import { writeFile } from 'node:fs/promises'
import { run } from '../installation/command.ts'
import { serviceBinary } from './service.ts'

/** The registration of the service with its homeserver. */
export interface Registration {
  /** What both of them read. */
  readonly file: string
  /** Shows the homeserver that a request is of the service. */
  readonly asToken: string
  /** Shows the service that a request is of the homeserver. */
  readonly hsToken: string
}

/** How to make a {@link Registration}. */
export interface RegistrationOptions {
  /** Path of the new file. */
  readonly file: string
  /** Where the homeserver reaches the service. */
  readonly serviceUrl: string
  readonly serverName: string
}

/** Has the compiled binary print a registration, and saves it as an operator would. */
export async function register(options: RegistrationOptions): Promise<Registration> {
  const { file, serviceUrl, serverName } = options
  const command = [serviceBinary, 'registration', '--url', serviceUrl, '--server-name', serverName]
  const yaml = await run(command)
  await writeFile(file, yaml, { mode: 0o600 })
  const { as_token, hs_token } = Bun.YAML.parse(yaml) as { as_token: string; hs_token: string }
  return { file, asToken: as_token, hsToken: hs_token }
}
