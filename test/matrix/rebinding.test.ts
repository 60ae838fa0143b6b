import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { freePort } from '../support/free-port.ts'
import { startHomeserver } from '../support/homeserver.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const atOnce = (...records: string[]) => ({ records, ttlSeconds: 0 })

function addressQueries(host: string): number {
  return stage.dns.queries.filter((query) => query === `A ${host}`).length
}

/** A homeserver, and one at an address that is denied, on the same port. */
async function startPair(name: string) {
  const port = freePort('127.0.0.9', '127.0.0.1')
  const inside = stage.keep(await startHomeserver({ hostname: '127.0.0.9', port }))
  const homeserver = await stage.homeserver({ dns: [name] }, { port })
  return { inside, homeserver, port }
}

test('connects to the address that was checked, even if the DNS answer changes', async () => {
  const { inside, homeserver, port } = await startPair('rebind.test')
  stage.dns.set('rebind.test', 'A', atOnce('127.0.0.1'), atOnce('127.0.0.9'))
  let now = 1_900_000_000_000
  const service = await stage.service({ now: () => now })
  const name = `rebind.test:${port}`
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)

  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
  expect(addressQueries('rebind.test')).toBe(1)
  now += 31_000
  expect(await service.ask(name, token)).toMatchObject({
    status: 401,
    cause: expect.stringContaining('address 127.0.0.9 is denied by 127.0.0.0/8'),
  })
  expect(addressQueries('rebind.test')).toBe(2)
  expect(inside.connections()).toBe(0)
  expect(homeserver.connections()).toBe(1)
})

test('checks the address of a name again after its well-known', async () => {
  const { inside, homeserver, port } = await startPair('flip.test')
  homeserver.respond('/.well-known/*', async () => {
    now += 31_000
    return { kind: 'reply', status: 404 }
  })
  stage.dns.set('flip.test', 'A', atOnce('127.0.0.1'), atOnce('127.0.0.9'))
  let now = 1_900_000_000_000
  const service = await stage.service({
    now: () => now,
    tuning: { wellKnownPort: port, federationPort: port },
  })
  expect(await service.ask('flip.test')).toMatchObject({
    status: 401,
    cause: expect.stringContaining('address 127.0.0.9 is denied by 127.0.0.0/8'),
  })
  expect(addressQueries('flip.test')).toBe(2)
  expect(inside.connections()).toBe(0)
})
