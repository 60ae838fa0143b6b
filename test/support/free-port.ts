import { randomInt } from 'node:crypto'

/** Below the range that the kernel takes ports from where nobody asks for one in particular. */
const firstPort = 10_000
const endOfPorts = 32_768
const handedOut = new Set<number>()

/** Tests that run at the same time in several processes take ports of different remainders. */
const workers = 16
const worker = Number(process.env.BUN_TEST_WORKER_ID ?? 0) % workers

/**
 * A TCP port that is free on all of the addresses right now, and likely to stay so until it is used.
 *
 * No port is given twice.
 */
export function freePort(...hostnames: readonly string[]): number {
  for (;;) {
    const port = randomInt(firstPort / workers, endOfPorts / workers) * workers + worker
    if (handedOut.has(port) || !hostnames.every((hostname) => isFree(hostname, port))) continue
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
