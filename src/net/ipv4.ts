import { isIPv4 } from 'node:net'

/** A range of IPv4 addresses, to be compared by number: a library takes microseconds for that. */
export interface IPv4Range {
  /** Its first address. */
  readonly base: number
  /** The bits that its addresses have in common. */
  readonly mask: number
}

function numberOf(bytes: readonly number[]): number {
  return bytes.reduce((number, byte) => (number << 8) | byte, 0)
}

/** The 32 bits of an address, as a signed number; `undefined` if the text is no IPv4 address. */
export function ipv4Number(text: string): number | undefined {
  if (!isIPv4(text)) return undefined
  let number = 0
  let byte = 0
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48
    if (digit >= 0) {
      byte = byte * 10 + digit
      continue
    }
    number = (number << 8) | byte
    byte = 0
  }
  return (number << 8) | byte
}

/** The range of the addresses that share the first `bits` (0 to 32) with an address of four bytes. */
export function ipv4Range(bytes: readonly number[], bits: number): IPv4Range {
  // A shift by 32 would be one by none.
  const mask = bits === 0 ? 0 : -1 << (32 - bits)
  return { base: numberOf(bytes) & mask, mask }
}

/** Whether an address lies in a range. */
export function isWithin(number: number, { base, mask }: IPv4Range): boolean {
  return (number & mask) === base
}
