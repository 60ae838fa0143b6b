import type { Target } from '../net/target-client.ts'
import type { ServerName } from './server-name.ts'

function hostAndPort(host: string, isIPv6: boolean, port: number | undefined): string {
  const authority = isIPv6 ? `[${host}]` : host
  return port === undefined ? authority : `${authority}:${port}`
}

/**
 * Where to connect for a name that is taken literally, without any look-up: certificate and `Host`
 * are those of the name.
 *
 * @param defaultPort - used where the name has none
 */
export function targetOf(name: ServerName, defaultPort: number): Target {
  return {
    host: name.host,
    port: name.port ?? defaultPort,
    tlsServerName: name.host,
    hostHeader: hostAndPort(name.host, name.kind === 'ipv6', name.port),
  }
}
