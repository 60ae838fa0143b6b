import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { basename, join } from 'node:path'
import { jwtVerify } from 'jose'
import { version } from '../../package.json'
import { hostArchitecture } from '../../src/build/rootfs.ts'
import { exampleText } from '../examples/tools.ts'
import { type Authority, createAuthority } from '../support/certificates.ts'
import type { Ending } from '../support/child-process.ts'
import { CREDENTIAL_SETTINGS, CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { type DnsServer, startDnsServer } from '../support/dns-server.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { untilReady } from '../support/readiness.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'
import { type Container, createContainer, type Environment, type Running } from './container.ts'
import { neededBy } from './needed-libraries.ts'

const BINARY = join(import.meta.dir, '../../dist/jwt-service')
// The C library only asks port 53, which on this address belongs to nobody else.
const DNS_ADDRESS = '127.0.53.53'

const IMAGES = {
  amd64: [
    '/data/',
    '/etc/',
    '/etc/group',
    '/etc/nsswitch.conf',
    '/etc/passwd',
    '/jwt-service',
    '/lib/',
    '/lib/x86_64-linux-gnu/',
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib/x86_64-linux-gnu/libdl.so.2',
    '/lib/x86_64-linux-gnu/libm.so.6',
    '/lib/x86_64-linux-gnu/libpthread.so.0',
    '/lib64/',
    '/lib64/ld-linux-x86-64.so.2',
  ],
  arm64: [
    '/data/',
    '/etc/',
    '/etc/group',
    '/etc/nsswitch.conf',
    '/etc/passwd',
    '/jwt-service',
    '/lib/',
    '/lib/aarch64-linux-gnu/',
    '/lib/aarch64-linux-gnu/libc.so.6',
    '/lib/aarch64-linux-gnu/libdl.so.2',
    '/lib/aarch64-linux-gnu/libm.so.6',
    '/lib/aarch64-linux-gnu/libpthread.so.0',
    '/lib/ld-linux-aarch64.so.1',
  ],
}

let authority: Authority
let dns: DnsServer
let homeserver: Homeserver
let sfu: Sfu
let container: Container

beforeAll(async () => {
  container = await createContainer(BINARY)
  authority = await createAuthority()
  dns = await startDnsServer({ hostname: DNS_ADDRESS, port: 53 })
  dns.set('in-dns.test', 'A', ['127.0.0.1'])
  const certificate = await authority.issue({ dns: ['in-hosts.test', 'in-dns.test'] })
  homeserver = await startHomeserver({ certificate })
  sfu = await startSfu(CREDENTIALS)
  await container.mount('/ca.pem', authority.caPem)
  await container.mount('/etc/hosts', '127.0.0.1 in-hosts.test\n')
  await container.mount('/etc/resolv.conf', `nameserver ${DNS_ADDRESS}\n`)
})

afterAll(async () => {
  await Promise.all([homeserver?.close(), sfu?.close(), dns?.close(), authority?.dispose()])
  await container?.[Symbol.asyncDispose]()
})

interface Service extends AsyncDisposable {
  readonly program: Running
  readonly origin: string
  readonly env: Environment
}

/** Starts the service in the container and waits until it is healthy. */
async function startService(): Promise<Service> {
  // The health check is told the port, so the system cannot choose one when the service starts.
  const address = `127.0.0.1:${await findClosedPort()}`
  const env = {
    LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/8',
    LIVEKIT_JWT_BIND: address,
    LIVEKIT_LOG_LEVEL: 'error',
    ...CREDENTIAL_SETTINGS,
    LIVEKIT_URL: sfu.wsUrl,
    NODE_EXTRA_CA_CERTS: '/ca.pem',
  }
  const program = container.start(['/jwt-service'], env)
  async function stop(): Promise<void> {
    if (program.isRunning()) program.signal('SIGTERM')
    await program.exited
  }
  const isHealthy = async () => (await checkHealth(env)).code === 0
  await untilReady(program, isHealthy, 15_000)
  return { program, origin: `http://${address}`, env, [Symbol.asyncDispose]: stop }
}

function checkHealth(env: Environment): Promise<Ending> {
  return container.run(['/jwt-service', 'healthcheck'], env)
}

function requestToken(origin: string, serverName: string): Promise<Response> {
  const userId = `@alice:${serverName}`
  const body = {
    room_id: '!roomid:example.com',
    slot_id: 'slot1234',
    openid_token: {
      access_token: homeserver.issueOpenIdToken(userId),
      matrix_server_name: serverName,
    },
    member: { id: 'memberABC', claimed_user_id: userId, claimed_device_id: 'DEVICE123' },
  }
  return fetch(`${origin}/get_token`, { method: 'POST', body: JSON.stringify(body) })
}

async function expectToken(response: Response): Promise<void> {
  const answer: unknown = await response.json()
  expect(answer).toEqual({ url: sfu.wsUrl, jwt: expect.any(String) })
  expect(response.status).toBe(200)
  const { jwt } = answer as { jwt: string }
  const { payload } = await jwtVerify(jwt, new TextEncoder().encode(CREDENTIALS.apiSecret))
  expect(payload.video).toMatchObject({
    room: 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
    roomJoin: true,
  })
}

describe('the container image', () => {
  test('holds the binary, what it needs, and nothing else', () => {
    expect(container.image).toEqual(IMAGES[hostArchitecture()])
  })

  test('holds exactly the libraries that the binary and they themselves need', async () => {
    const libraries = container.image.filter((path) => /^\/lib.*[^/]$/.test(path))
    const { loader = 'none' } = await neededBy(container.pathOf('/jwt-service'))
    const needs = await Promise.all(
      ['/jwt-service', ...libraries].map((path) => neededBy(container.pathOf(path))),
    )
    const needed = new Set([basename(loader), ...needs.flatMap((each) => each.libraries)])
    expect(libraries).toContain(loader)
    expect([...needed].sort()).toEqual(libraries.map((path) => basename(path)).sort())
  })

  test('knows its version', async () => {
    const { code, stdout } = await container.run(['/jwt-service', '--version'], {})
    expect(stdout).toContain(version)
    expect(code).toBe(0)
  })

  test('holds the examples', async () => {
    expect(await container.run(['/jwt-service', 'example', 'caddy'], {})).toEqual({
      code: 0,
      stdout: exampleText('caddy'),
      stderr: '',
    })
  })

  test('runs the service as the user 65532 without any other group', async () => {
    await using service = await startService()
    expect(service.program.status('Uid')).toEqual(['65532', '65532', '65532', '65532'])
    expect(service.program.status('Gid')).toEqual(['65532', '65532', '65532', '65532'])
    expect(service.program.status('Groups')).toEqual([''])
  })

  test('exchanges a token with a homeserver named in /etc/hosts', async () => {
    await using service = await startService()
    await expectToken(await requestToken(service.origin, `in-hosts.test:${homeserver.port}`))
    expect(dns.queries.filter((query) => query.startsWith('A in-hosts.test'))).toEqual([])
  })

  test('exchanges a token with a homeserver found through DNS', async () => {
    await using service = await startService()
    await expectToken(await requestToken(service.origin, `in-dns.test:${homeserver.port}`))
    expect(dns.queries).toContain('A in-dns.test')
  })

  test('gets no files from the service', async () => {
    await using service = await startService()
    await expectToken(await requestToken(service.origin, `in-dns.test:${homeserver.port}`))
    expect(await container.added()).toEqual(['/ca.pem', '/etc/hosts', '/etc/resolv.conf', '/proc/'])
  })

  test('ends with 0 on SIGTERM as process 1, and is unhealthy then', async () => {
    await using service = await startService()
    service.program.signal('SIGTERM')
    expect(await service.program.exited).toBe(0)
    expect((await checkHealth(service.env)).code).toBe(1)
  })
})
