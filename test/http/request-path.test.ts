import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { hasOrigin, pathOf } from '../../src/http/request-path.ts'

test.each([
  ['http://localhost:8080/get_token', '/get_token'],
  ['http://localhost/sfu/get?x=/y', '/sfu/get'],
  ['https://example.com/a#b?c', '/a'],
  ['http://example.com?x', '/'],
  ['http://example.com#x/y', '/'],
  ['http://example.com', '/'],
  ['http://', '/'],
  ['HTTP://example.com/a', '/a'],
  ['/get_token?next=http://example.com/b', '/get_token'],
  ['/', '/'],
  ['*', '*'],
  ['', '/'],
])('the path of %p is %p', (url, path) => {
  expect(pathOf({ url })).toBe(path)
})

test('whether there is an origin, and the path behind it, are those that a regular expression finds', () => {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i
  const part = fc.constantFrom(
    'http://',
    'https://',
    'ftp:',
    'h',
    'a.b:1',
    '/',
    '?',
    '#',
    ':',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const url = parts.join('')
      expect(hasOrigin({ url })).toBe(origin.test(url))
      expect(pathOf({ url })).toBe(url.replace(origin, '').replace(/[?#].*$/s, '') || '/')
    }),
  )
})
