import type { SrvRecord } from '../net/resolver.ts'

function takeByWeight(records: SrvRecord[], random: () => number): SrvRecord[] {
  const total = records.reduce((sum, record) => sum + record.weight, 0)
  let point = random() * total
  const index = records.findIndex((record) => {
    point -= record.weight
    return point < 0
  })
  return records.splice(Math.max(index, 0), 1)
}

/**
 * Orders SRV records: by priority, and by weighted random choice within a priority.
 *
 * @param random - a number from 0 up to, not including, 1
 * @see https://www.rfc-editor.org/rfc/rfc2782
 */
export function orderForConnecting(records: readonly SrvRecord[], random: () => number) {
  const ordered: SrvRecord[] = []
  const priorities = new Set(records.map((record) => record.priority))
  for (const priority of [...priorities].sort((a, b) => a - b)) {
    const left = records.filter((record) => record.priority === priority)
    // Records with weight 0 come first, which gives them a small chance (RFC 2782).
    left.sort((a, b) => a.weight - b.weight)
    while (left.length > 0) ordered.push(...takeByWeight(left, random))
  }
  return ordered
}
