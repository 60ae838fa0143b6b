import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type BindAddress, bindAddress, portAlone } from '../../src/config/http-parsers.ts'
import {
  listItems,
  networkList,
  serverName as serverNameSetting,
  serverNames,
} from '../../src/config/name-parsers.ts'
import {
  boolean,
  filePath,
  insecureSwitch,
  integer,
  logLevel,
  oneOf,
  type Parser,
} from '../../src/config/parsers.ts'
import { bearerToken, redisUrl, signingSecret } from '../../src/config/secret-parsers.ts'
import { ALL_SETTINGS } from '../../src/config/settings.ts'
import { url, urlOverrides } from '../../src/config/url-parsers.ts'
import { loadConfig } from '../../src/config.ts'
import { forAll } from './for-all.ts'
import { anyText, nearly, path, serverName, url as urls } from './values.ts'

const port = fc.oneof(fc.nat(70_000), fc.constantFrom(0, 65_535, 65_536))
const separator = fc.constantFrom(',', ' ', ', ', '\n')

function listOf(items: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(fc.array(items, { maxLength: 5 }), separator).map(([all, by]) => all.join(by))
}

const networks = listOf(
  fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.tuple(fc.ipV4(), fc.nat(33)).map(([base, bits]) => `${base}/${bits}`),
  ),
)

/** How a value is written, so that it can be read again. */
type Write<T> = (value: T) => string

/** Whatever is taken is read again from how it is written; what is refused says what was expected. */
async function expectRoundTrip<T>(texts: fc.Arbitrary<string>, parse: Parser<T>, write: Write<T>) {
  await forAll(nearly(texts), (text) => {
    const parsed = parse(text)
    if (!parsed.ok) {
      expect(parsed.wrong !== '' && parsed.expected !== '').toBe(true)
      return
    }
    expect(parse(write(parsed.value))).toMatchObject({ ok: true, value: parsed.value })
  })
}

function writeBind({ host = '', port: number }: BindAddress): string {
  return host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`
}

test('a number, a switch and a word are read again from how they are written', async () => {
  await expectRoundTrip(fc.integer().map(String), integer(60, 86_400), String)
  await expectRoundTrip(fc.constantFrom('true', 'NO', '1', 'off', 'F'), boolean, String)
  await expectRoundTrip(fc.constantFrom('on', 'OFF'), oneOf('on', 'off'), String)
  await expectRoundTrip(fc.constantFrom('debug', 'WARNING', 'error'), logLevel, String)
  await expectRoundTrip(anyText, insecureSwitch, (isOn) =>
    isOn ? 'YES_I_KNOW_WHAT_I_AM_DOING' : 'no',
  )
})

test('an address to listen at is read again from how it is written', async () => {
  const hosts = fc.oneof(fc.constant(''), serverName)
  const binds = fc.tuple(hosts, port).map(([host, number]) => `${host}:${number}`)
  await expectRoundTrip(binds, bindAddress, writeBind)
  await expectRoundTrip(port.map(String), portAlone, ({ port: number }) => String(number))
})

test('server names, networks and overrides are read again from how they are written', async () => {
  await expectRoundTrip(serverName, serverNameSetting, String)
  await expectRoundTrip(listOf(serverName), serverNames, (names) => [...names].join(' '))
  await expectRoundTrip(
    networks,
    networkList,
    (all) => all.map(({ cidr }) => cidr).join(',') || 'none',
  )
  const pairs = listOf(fc.tuple(serverName, urls).map(([name, base]) => `${name}=${base}`))
  await expectRoundTrip(pairs, urlOverrides, (overrides) => {
    return [...overrides].map(([name, base]) => `${name}=${base}`).join(' ')
  })
})

test('a URL is read again from how it is written, and is one for the runtime', async () => {
  const parse = url('wss', 'ws', 'https', 'http')
  await expectRoundTrip(urls, parse, String)
  await forAll(nearly(urls), (text) => {
    const parsed = parse(text)
    if (parsed.ok) expect(new URL(parsed.value).host).not.toBe('')
  })
})

test('a URL of Redis can be connected to', async () => {
  const credentials = nearly(fc.constantFrom('', ':secret@', 'user:p%40ss@', 'u:%ff@'))
  const redis = fc
    .tuple(
      fc.constantFrom('redis', 'rediss'),
      credentials,
      serverName,
      fc.constantFrom('', '/', '/7'),
    )
    .map(([scheme, user, host, database]) => `${scheme}://${user}${host}${database}`)
  await expectRoundTrip(redis, redisUrl, ({ href }) => href)
})

test('paths, secrets and tokens are read as they are', async () => {
  await expectRoundTrip(
    fc.tuple(fc.constantFrom('/', './', '../'), path).map(String),
    filePath,
    String,
  )
  await expectRoundTrip(anyText, signingSecret, String)
  await expectRoundTrip(fc.stringMatching(/^[!-~]{1,40}$/), bearerToken, String)
})

test('an environment of any kind is read, with a reason for whatever is wrong', async () => {
  const names = ALL_SETTINGS.flatMap(({ name }) => [name, `${name}_FROM_FILE`])
  const values = fc.oneof(anyText, urls, serverName, networks, port.map(String))
  const environment = fc.dictionary(fc.constantFrom(...names), values)
  await forAll(fc.tuple(environment, anyText), ([env, file]) => {
    const { config, problems, warnings } = loadConfig(env, () => file)
    expect(config === undefined).toBe(problems.length > 0)
    for (const { setting, text } of [...problems, ...warnings]) {
      expect(setting).toMatch(/^[A-Z_]+$/)
      expect(text).not.toBe('')
    }
  })
})

test('the items of a list are read again from how they are written', async () => {
  await forAll(anyText, (text) => {
    const items = listItems(text)
    expect(listItems(items.join(', '))).toEqual(items)
  })
})
