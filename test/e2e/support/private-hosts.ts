import { writeFile } from 'node:fs/promises'

/** Host names and the addresses that they shall resolve to. */
export type HostAddresses = Readonly<Record<string, string>>

/**
 * Wraps a command so that it sees an `/etc/hosts` of its own, in a mount namespace of its own.
 *
 * The process ID of what is started is the one of the command itself. Needs root.
 *
 * @param file Where to put the hosts file; it has to outlive the process.
 * @see https://man7.org/linux/man-pages/man1/unshare.1.html
 */
export async function withPrivateHosts(
  command: readonly string[],
  hosts: HostAddresses,
  file: string,
): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) {
    throw new Error('root is needed for a mount namespace with an own /etc/hosts and for port 443')
  }
  const lines = Object.entries({ localhost: '127.0.0.1', ...hosts }).map(
    ([name, address]) => `${address} ${name}\n`,
  )
  await writeFile(file, lines.join(''))
  return ['unshare', '--mount', 'sh', '-c', mountAndExecute, file, ...command]
}

const mountAndExecute = 'mount --bind "$0" /etc/hosts && exec "$@"'
