import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { join } from 'node:path'
import { required } from '../process/commands.ts'
import { type Authority, createAuthority } from '../support/certificates.ts'
import { startProcess } from '../support/child-process.ts'
import { type DeadEnd, startSilentListener } from '../support/dead-end.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { untilReady } from '../support/readiness.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { command } from './support/command.ts'
import { stopCalmly } from './support/stage.ts'

let authority: Authority
/** That the operator has named. */
let own: Homeserver
let service: ServiceProcess
const strangers: Homeserver[] = []

beforeAll(async () => {
  authority = await createAuthority()
  own = await startHomeserver({ serverName: 'own.test' })
  service = await startService({
    command,
    env: {
      ...required,
      LIVEKIT_FULL_ACCESS_HOMESERVERS: 'nobody.test',
      LIVEKIT_FEDERATION_URL_OVERRIDES: `own.test=${own.url}`,
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/8',
      NODE_EXTRA_CA_CERTS: authority.caFile,
    },
  })
})
afterAll(async () => {
  await stopCalmly(service)
  await Promise.all([own, ...strangers].map((server) => server.close()))
  await authority.dispose()
})

/** An honest server, found by its name. */
async function startStranger(): Promise<Homeserver> {
  const server = await startHomeserver({
    certificate: await authority.issue({ ip: ['127.0.0.1'] }),
  })
  strangers.push(server)
  return server
}

function bodyOf(serverName: string, token: string): string {
  const openid_token = { access_token: token, matrix_server_name: serverName }
  return JSON.stringify({ room: '!room:example.com', openid_token, device_id: 'DEVICE' })
}

/** Requests an access token; returns how long that took. */
async function ask(server: Homeserver, name = server.address): Promise<number> {
  const body = bodyOf(name, server.issueOpenIdToken(`@alice:${name}`))
  const startedAt = performance.now()
  const response = await fetch(`${service.url}/sfu/get`, { method: 'POST', body })
  expect(await response.json()).toMatchObject({ jwt: expect.any(String) })
  return performance.now() - startedAt
}

/** The 99th percentile of users' waiting times over `forMs`, in milliseconds. */
async function p99(forMs: number, request: () => Promise<number>): Promise<number> {
  const waits: number[] = []
  const until = performance.now() + forMs
  while (performance.now() < until) {
    waits.push(await request())
    await Bun.sleep(5)
  }
  expect(waits.length).toBeGreaterThan(100)
  return waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0
}

/** Asks and hangs up before the answer. */
function askAndLeave(serverName: string): void {
  const body = bodyOf(serverName, crypto.randomUUID())
  const socket = connect({ host: '127.0.0.1', port: service.port })
  socket.on('error', () => {})
  socket.write(`POST /sfu/get HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  setTimeout(() => socket.destroy(), 1)
}

/** Does a step so many times a second, until it is disposed of. */
function keepUp(perSecond: number, step: (turn: number) => void): Disposable & { turns(): number } {
  const startedAt = performance.now()
  let turn = 0
  const timer = setInterval(() => {
    while (turn < ((performance.now() - startedAt) * perSecond) / 1_000) {
      step(turn)
      turn += 1
    }
  }, 5)
  return { turns: () => turn, [Symbol.dispose]: () => clearInterval(timer) }
}

test('servers that hang in the handshake delay neither proven servers nor honest new ones', async () => {
  const silent: DeadEnd[] = []
  for (let index = 0; index < 8; index += 1) silent.push(await startSilentListener())
  const proven = await startStranger()
  await ask(proven)
  const unproven = await Promise.all(Array.from({ length: 8 }, startStranger))
  const waitsOfNew: number[] = []

  const attack = keepUp(450, (turn) => {
    askAndLeave(`127.0.0.1:${silent[turn % silent.length]?.port}`)
  })
  using _ = attack
  await Bun.sleep(1_000)
  const [waitOfProven] = await Promise.all([
    p99(11_000, () => ask(proven)),
    (async () => {
      for (const server of unproven) {
        waitsOfNew.push(await ask(server))
        await Bun.sleep(1_000)
      }
    })(),
  ])
  const reached = silent.reduce((sum, listener) => sum + listener.connections(), 0)
  await Promise.all(silent.map((listener) => listener.close()))
  process.stdout.write(
    `silent servers: ${attack.turns()} requests, ${reached} connections; proven p99 ` +
      `${waitOfProven.toFixed(1)} ms, new ones ${Math.max(...waitsOfNew).toFixed(1)} ms at most\n`,
  )
  expect(attack.turns()).toBeGreaterThan(4_000)
  expect(reached).toBeGreaterThan(100)
  expect(waitOfProven).toBeLessThan(500)
}, 60_000)

/** Waits that this machine causes by itself, on which the servers of the attack run as well. */
const NOISE_MS = 10

test('endless answers delay no other server', async () => {
  const { certPem, keyPem } = await authority.issue({ ip: ['127.0.0.1'] })
  await using pouring = startProcess({
    command: [process.execPath, join(import.meta.dir, 'support/pouring-servers.ts')],
    env: { CERTIFICATE: certPem, KEY: keyPem },
  })
  await untilReady(pouring, async () => pouring.output().includes('\n'), 10_000)
  const ports: readonly number[] = JSON.parse(pouring.output())
  const stranger = await startStranger()
  await ask(stranger)
  const measure = async () => {
    return [await p99(3_000, () => ask(own, 'own.test')), await p99(3_000, () => ask(stranger))]
  }

  // The first answers of a process take longer.
  await measure()
  const before = await measure()
  const outcomes: Promise<number>[] = []
  using _ = keepUp(6, (turn) => {
    const body = bodyOf(`127.0.0.1:${ports[turn % ports.length]}`, crypto.randomUUID())
    const response = fetch(`${service.url}/sfu/get`, { method: 'POST', body })
    outcomes.push(response.then(({ status }) => status))
  })
  const during = await measure()
  const text = (waits: readonly number[]) => waits.map((wait) => wait.toFixed(1)).join(' and ')
  process.stdout.write(
    `answers without end: p99 of a named and of a proven server ${text(before)} ms before, ` +
      `${text(during)} ms during it\n`,
  )
  expect(outcomes.length).toBeGreaterThan(30)
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set([401]))
  for (const [index, wait] of during.entries()) {
    expect(wait).toBeLessThan(Math.max(NOISE_MS, 2 * (before[index] ?? 0)))
  }
}, 60_000)
