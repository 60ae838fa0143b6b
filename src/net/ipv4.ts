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

const DOT = 46
const ZERO = 48

/**
 * The 32 bits of an address, as a signed number; `undefined` if the text is no IPv4 address. It takes
 * what `isIPv4` takes, whose regular expression costs several times as much on a new text.
 */
export function ipv4Number(text: string): number | undefined {
  let number = 0
  let byte = 0
  let digits = 0
  let dots = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      if (digits === 0) return undefined
      number = (number << 8) | byte
      dots += 1
      byte = 0
      digits = 0
      continue
    }
    const digit = code - ZERO
    const hasLeadingZero = digits > 0 && byte === 0
    byte = byte * 10 + digit
    digits += 1
    if (digit < 0 || digit > 9 || hasLeadingZero || byte > 255) return undefined
  }
  return dots === 3 && digits > 0 ? (number << 8) | byte : undefined
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
