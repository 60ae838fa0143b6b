import { expect, test } from 'bun:test'
import { parseServerName, serverNameOfUser, targetOf } from '../../src/matrix/server-name.ts'

for (const [text, kind, host, port] of [
  ['example.com', 'hostname', 'example.com', undefined],
  ['Example.COM:8449', 'hostname', 'example.com', 8449],
  ['example.com:1', 'hostname', 'example.com', 1],
  ['example.com:65535', 'hostname', 'example.com', 65_535],
  ['example.com:00080', 'hostname', 'example.com', 80],
  ['1.2.3.4', 'ipv4', '1.2.3.4', undefined],
  ['1.2.3.4:8448', 'ipv4', '1.2.3.4', 8448],
  ['[::1]', 'ipv6', '::1', undefined],
  ['[2001:DB8::1]:443', 'ipv6', '2001:DB8::1', 443],
  ['[::ffff:1.2.3.4]', 'ipv6', '::ffff:1.2.3.4', undefined],
  ['xn--bcher-kva.example', 'hostname', 'xn--bcher-kva.example', undefined],
  ['a', 'hostname', 'a', undefined],
] as const) {
  test(`parses ${text}`, () => {
    expect(parseServerName(text)).toEqual({ text, kind, host, port })
  })
}

test('returns the part of a user ID after the first colon', () => {
  expect(serverNameOfUser('@alice:example.com')).toBe('example.com')
  expect(serverNameOfUser('@alice:example.com:8448')).toBe('example.com:8448')
  expect(serverNameOfUser('@:[::1]:8448')).toBe('[::1]:8448')
})

test('finds no server name in an invalid or overlong user ID', () => {
  for (const text of [
    '',
    '@',
    '@alice',
    '@alice:',
    'alice:example.com',
    `@${'a'.repeat(250)}:b.cd`,
  ]) {
    expect({ text, serverName: serverNameOfUser(text) }).toEqual({ text, serverName: undefined })
  }
  expect(serverNameOfUser(`@${'a'.repeat(250)}:b.c`)).toBe('b.c')
})

for (const [text, target] of [
  [
    'example.com',
    { host: 'example.com', port: 8448, tlsServerName: 'example.com', hostHeader: 'example.com' },
  ],
  [
    'example.com:443',
    { host: 'example.com', port: 443, tlsServerName: 'example.com', hostHeader: 'example.com:443' },
  ],
  ['1.2.3.4', { host: '1.2.3.4', port: 8448, tlsServerName: '1.2.3.4', hostHeader: '1.2.3.4' }],
  ['[::1]', { host: '::1', port: 8448, tlsServerName: '::1', hostHeader: '[::1]' }],
  ['[::1]:443', { host: '::1', port: 443, tlsServerName: '::1', hostHeader: '[::1]:443' }],
] as const) {
  test(`takes ${text} literally`, () => {
    const name = parseServerName(text)
    expect(name && targetOf(name, 8448)).toEqual(target)
  })
}
