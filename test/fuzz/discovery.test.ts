import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { createClientApiLocator } from '../../src/matrix/client-api-location.ts'
import { createDiscovery } from '../../src/matrix/discovery.ts'
import { locationLimits } from '../../src/matrix/exchange-limits.ts'
import { createServerGates } from '../../src/matrix/server-gates.ts'
import { isDnsName, parseServerName } from '../../src/matrix/server-name.ts'
import { orderForConnecting } from '../../src/matrix/srv-order.ts'
import { createWellKnownLookup } from '../../src/matrix/well-known.ts'
import type { Answer } from '../../src/net/bounded-fetch.ts'
import { ALLOW_ALL } from '../../src/net/networks.ts'
import { DnsError, type Resolver, type SrvRecord } from '../../src/net/resolver.ts'
import { forAll } from './for-all.ts'
import { anyJson, anyText, dnsName, nearly, nearlyObject, serverName } from './values.ts'

const now = () => 1_767_225_600_000
const NAME = 'example.com'
const LIMITS = locationLimits({ named: 1, proven: 1, others: 1 })
const never = new AbortController().signal

const status = fc.oneof(
  { weight: 9, arbitrary: fc.constant(200) },
  fc.integer({ min: 200, max: 599 }),
)
const header = nearly(
  fc.constantFrom('max-age=60', 'no-store', 'Thu, 01 Jan 2026 00:00:00 GMT', '0'),
).map((text) => text.replace(/[^\x20-\x7e]/g, ''))

/** Answers with such bodies; the headers say anything about how long they last. */
function answers(bodies: fc.Arbitrary<unknown>): fc.Arbitrary<Answer> {
  const texts = fc.oneof(
    { weight: 5, arbitrary: bodies.map((body) => JSON.stringify(body) ?? '') },
    nearly(bodies.map((body) => JSON.stringify(body) ?? '')),
  )
  return fc.tuple(status, header, header, texts).map(([code, cacheControl, expires, body]) => {
    return { status: code, headers: new Headers({ 'cache-control': cacheControl, expires }), body }
  })
}

function ok(body: unknown): Answer {
  return { status: 200, headers: new Headers(), body: JSON.stringify(body) }
}

const host = () => parseServerName(NAME) ?? expect.unreachable()

function findServer(answer: Answer) {
  const lookup = createWellKnownLookup({ getWellKnown: async () => answer, now })
  return lookup.find(host(), ALLOW_ALL)
}

test('a well-known of a server gives a server name that is read again from it, or a reason', async () => {
  const documents = nearlyObject({ 'm.server': nearly(serverName) })
  await forAll(answers(fc.oneof(documents, anyJson)), async (answer) => {
    const found = await findServer(answer)
    if (found.kind === 'none') return expect(found.reason).not.toBe('')
    expect(await findServer(ok({ 'm.server': found.to.text }))).toEqual(found)
  })
})

function locate(answer: Answer) {
  return createClientApiLocator({
    getWellKnown: async () => answer,
    client: { check: async () => {} },
    isNamed: () => false,
    policyFor: () => ALLOW_ALL,
    overrides: new Map(),
    gates: createServerGates(LIMITS, now),
    now,
  }).locateUsable(NAME)
}

const path = fc.array(fc.constantFrom('/', '//', 'a', '.', '..', '%2e', ' ', 'é', '\\'))
const baseUrl = fc
  .tuple(fc.constantFrom('https://', 'HTTPS://', 'http://', 'https:'), serverName, path)
  .map(([scheme, name, parts]) => scheme + name + parts.join(''))

test('a well-known of a client API gives a base URL that is read again from it, or a reason', async () => {
  const documents = nearlyObject({ 'm.homeserver': nearlyObject({ base_url: nearly(baseUrl) }) })
  await forAll(answers(fc.oneof(documents, anyJson)), async (answer) => {
    const found = await locate(answer)
    if (found.kind !== 'found') return expect(found.trouble.found).not.toBe('')
    expect(await locate(ok({ 'm.homeserver': { base_url: found.baseUrl } }))).toEqual(found)
    expect(new URL(`${found.baseUrl}/_matrix/client/versions`).href).toBe(
      `${found.baseUrl}/_matrix/client/versions`,
    )
  })
})

const record = fc.record({
  priority: fc.nat(65_535),
  weight: fc.oneof(fc.constant(0), fc.nat(65_535)),
  port: fc.nat(65_535),
  target: nearly(dnsName),
})
const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('SRV records keep their number, and lower priorities come first', async () => {
  const similar = fc
    .array(fc.record({ ...{ priority: fc.nat(2), weight: fc.nat(3) } }))
    .map((some) => {
      return some.map((each, port) => ({ ...each, port, target: 'a.test' }))
    })
  await forAll(fc.tuple(fc.oneof(similar, fc.array(record)), draw), ([records, random]) => {
    const ordered = orderForConnecting(records, () => random)
    expect(new Set(ordered)).toEqual(new Set(records))
    expect(ordered).toHaveLength(records.length)
    const priorities = ordered.map(({ priority }) => priority)
    expect(priorities).toEqual(priorities.toSorted((a, b) => a - b))
  })
})

function discover(answer: readonly SrvRecord[] | 'failure', name: string) {
  const resolver: Resolver = {
    addresses: async () => [],
    async services() {
      if (answer === 'failure') throw new DnsError('ESERVFAIL')
      return answer
    },
  }
  const wellKnown = { find: async () => ({ kind: 'none', reason: 'status 404' }) as const }
  const discovery = createDiscovery({ wellKnown, resolver, random: () => 0.5 })
  return discovery.discover(parseServerName(name) ?? host(), ALLOW_ALL, never)
}

test('SRV answers lead to targets that can be connected to, in the name of the server', async () => {
  const answer = fc.oneof(fc.array(record), fc.constant('failure' as const))
  await forAll(fc.tuple(answer, dnsName), async ([records, name]) => {
    const { targets } = await discover(records, name)
    expect(targets.length >= 1 && targets.length <= 4).toBe(true)
    for (const target of targets) {
      expect(isDnsName(target.host) && target.port > 0).toBe(true)
      expect(target).toMatchObject({ tlsServerName: name.toLowerCase(), hostHeader: name })
      if (records === 'failure' || target.port === 8448) continue
      expect(records).toContainEqual(
        expect.objectContaining({ port: target.port, target: target.host }),
      )
    }
  })
})

test('texts of any kind are no server name that discovery fails on', async () => {
  await forAll(anyText, async (text) => {
    expect((await findServer(ok({ 'm.server': text }))).kind).toBe(
      parseServerName(text) === undefined ? 'none' : 'delegated',
    )
  })
})
