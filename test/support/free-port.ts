import { randomInt } from 'node:crypto'

/** Below the range that the kernel takes ports from where nobody asks for one in particular. */
const firstPort = 10_000
const endOfPorts = 32_768
const handedOut = new Set<number>()

/**
 * A TCP port that is free on the address right now, and likely to stay so until it is used.
 *
 * No port is given twice.
 */
export function freePort(hostname: string): number {
  for (;;) {
    const port = randomInt(firstPort, endOfPorts)
    if (handedOut.has(port) || !isFree(hostname, port)) continue
    handedOut.add(port)
    return port
  }
}

function isFree(hostname: string, port: number): boolean {
  try {
    Bun.listen({ hostname, port, socket: { data() {} } }).stop(true)
    return true
  } catch {
    return false
  }
}
