import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Service, type Stage, setStage } from '../support/federation-stage.ts'

let stage: Stage
let service: Service

beforeAll(async () => {
  stage = await setStage()
  const port = await findClosedPort()
  service = await stage.service({ tuning: { wellKnownPort: port, federationPort: port } })
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const outsideTheGrammar = [
  'bücher.test',
  'ｅxample.test',
  'hs.test\u0000',
  'hs\u2024test',
  'user@hs.test',
  'hs.test/path',
  'hs.test\\path',
  'hs.test#fragment',
  'hs.test?query',
  'hs.test%2f',
  'hs_x.test',
  '*.test',
  ' hs.test',
  'hs.test ',
  'hs.test\n',
  'hs.test\r\nHost: other.test',
  'hs .test',
  ':',
  ':8448',
  'hs.test:',
  'hs.test:0',
  'hs.test:65536',
  'hs.test:99999999',
  'hs.test:-1',
  'hs.test:80x',
  'hs.test:80:80',
  'https://hs.test',
  '.',
  '..',
  '.hs.test',
  'hs..test',
  '127.1',
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '0177.0.0.1',
  '127.0.0.1.',
  '1.2.3.256',
  '1.2.3.4.5',
  '::1',
  '[::1',
  '[]',
  '[hs.test]',
  '[127.0.0.1]',
  '[::1%lo]',
  '[::1%25lo]:8448',
  `${'a'.repeat(64)}.test`,
  `${'a.'.repeat(126)}test`,
  'a'.repeat(50_000),
]

for (const name of outsideTheGrammar) {
  test(`refuses ${JSON.stringify(name).slice(0, 80)} without any look-up`, async () => {
    stage.dns.queries.length = 0
    expect(await service.ask(name)).toEqual({
      status: 401,
      identity: undefined,
      step: 'server-name',
      cause: 'not a valid server name',
      code: 'federation.invalid-name',
    })
    expect(stage.dns.queries).toEqual([])
  })
}

const withinTheGrammar = [
  'xn--.test',
  'xn--a.test',
  'xn--bcher-kva.test',
  'xn--0.test:8448',
  'hs.test.',
  'hs.test.:8448',
  '-.test',
  '--',
  `${'a.'.repeat(120)}test`,
  `${`${'a'.repeat(63)}.`.repeat(3)}test:1`,
  'localhost',
  'LOCALHOST:1',
  'a',
  '1.2.3.4a',
]

for (const name of withinTheGrammar) {
  test(`survives ${name.slice(0, 80)}`, async () => {
    const { status, step } = await service.ask(name)
    expect({ status, step }).toEqual({ status: 401, step: 'connect' })
  })
}

// The runtime's URL parser takes none of these, although they are addresses.
test.each(['[::1:1:1:1:1.2.3.4]', '[1::1:1:1:1.2.3.4]', '[1:1:1:1::1.2.3.4]:443'])(
  'answers 401 for %s like for any other server',
  async (serverName) => {
    expect(await service.ask(serverName)).toMatchObject({ status: 401, step: 'connect' })
  },
)
