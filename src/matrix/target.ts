import type { Target } from '../net/target-client.ts'
import type { ServerName } from './server-name.ts'

/**
 * Where to connect for a name that is taken literally, without any look-up: certificate and `Host`
 * are those of the name.
 *
 * @param defaultPort - used where the name has none
 */
export function targetOf({ text, host, port }: ServerName, defaultPort: number): Target {
  return { host, port: port ?? defaultPort, tlsServerName: host, hostHeader: text }
}
