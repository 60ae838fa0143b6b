import * as fc from 'fast-check'

/** Any text at all, lone surrogates and control characters included. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme-ascii' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('', ' ', '0', '00', '-0', '1e999', 'NaN', 'null', '__proto__', 'constructor'),
)

/** Text that a strict decoder of UTF-8 takes. */
export const wellFormedText: fc.Arbitrary<string> = anyText.map((text) => text.toWellFormed())

/** {@link wellFormedText}, but not empty. */
export const someText: fc.Arbitrary<string> = wellFormedText.filter((text) => text !== '')

/** Any JSON value. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ stringUnit: 'binary' }),
  anyText,
  fc.constantFrom(0, -1, 0.5, 2 ** 53, 1e300, -1e300, Number.MAX_VALUE),
  fc.constantFrom({ toString: 1 }, { length: 1 }, [[]], [{}], { constructor: null }),
)

/** Texts of a kind, and texts that are a character or two away from one. */
export function nearly(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const characters = fc.oneof(
    fc.constantFrom(...' \t\r\n\0"\\/:.,;=%@#?*[]{}()<>-_+0x1é\u00a0\ud800'),
    fc.string({ minLength: 1, maxLength: 1 }),
  )
  const changed = fc
    .tuple(texts, fc.nat(), fc.nat(2), characters)
    .map(([text, place, removed, added]) => {
      const at = place % (text.length + 1)
      return text.slice(0, at) + added + text.slice(at + removed)
    })
  return fc.oneof({ weight: 2, arbitrary: texts }, { weight: 2, arbitrary: changed }, anyText)
}

type Members = Readonly<Record<string, fc.Arbitrary<unknown>>>

/** JSON objects of a kind: now and then a member is missing, or something else. */
export function nearlyObject(members: Members): fc.Arbitrary<Record<string, unknown>> {
  const changed = Object.entries(members).map(([name, member]) => {
    const value = fc.oneof(
      { weight: 20, arbitrary: member },
      { weight: 1, arbitrary: anyJson },
      { weight: 1, arbitrary: fc.constant(undefined) },
    )
    return [name, value] as const
  })
  return fc.record(Object.fromEntries(changed))
}

const label = fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,5}[A-Za-z0-9])?$/)

/** DNS names. */
export const dnsName: fc.Arbitrary<string> = fc
  .tuple(fc.array(label, { maxLength: 3 }), fc.constantFrom('test', 'example', 'com'))
  .map(([labels, last]) => [...labels, last].join('.'))

/** Server names. */
export const serverName: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: dnsName },
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    ),
    fc.option(fc.integer({ min: 1, max: 65_535 })),
  )
  .map(([host, port]) => (port === null ? host : `${host}:${port}`))

/** Milliseconds since the epoch: moments that can be written as a date. */
export const moment: fc.Arbitrary<number> = fc.integer({ min: 0, max: 4_102_444_800_000 })

/** Paths, in which not everything is as it should be. */
export const path: fc.Arbitrary<string> = fc
  .array(fc.constantFrom('/', 'a', '..', '%2F', '%'))
  .map((parts) => parts.join(''))

/** URLs with the schemes that settings know. */
export const url: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('https', 'http', 'wss', 'ws', 'redis', 'rediss'), serverName, path)
  .map(([scheme, name, end]) => `${scheme}://${name}${end}`)
