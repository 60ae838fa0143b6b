import { randomInt } from 'node:crypto'

/**
 * An address of the loopback network that hardly anything else uses, so that a test can have a
 * port that the protocol fixes (443) without two runs being in each other's way.
 */
export function ownLoopbackAddress(): string {
  return `127.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(1, 255)}`
}
