import { expect } from 'bun:test'
import { startTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { type Authority, type CertificateNames, createAuthority } from './certificates.ts'
import { useDnsServer } from './dns-in-use.ts'
import type { DnsData, DnsServer, SrvRecord } from './dns-server.ts'
import { type Homeserver, startHomeserver } from './homeserver.ts'
import { until } from './until.ts'
import type { ListenOptions } from './wire-server.ts'

/** How a token request ended. */
export interface Outcome {
  readonly status: number
  /** The `sub` claim of the token that was handed out. */
  readonly identity: string | undefined
  /** Members of the request's log line. */
  readonly step: unknown
  readonly cause: unknown
  readonly code: unknown
}

/** A service that trusts the stage's authority. */
export interface Service extends TestApp {
  /** Asks for an access token with an OpenID token; a random one that nobody issued unless given. */
  ask(serverName: string, openIdToken?: string): Promise<Outcome>
}

/** Homeservers on loopback, the DNS that leads to them, and services that look for them. */
export interface Stage {
  readonly authority: Authority
  readonly dns: DnsServer
  /** Starts a homeserver with a certificate of the stage's authority. */
  homeserver(
    names: CertificateNames,
    listen?: Omit<ListenOptions, 'certificate'>,
  ): Promise<Homeserver>
  /** Keeps something that is to be closed with the stage. */
  keep<T extends { close(): Promise<void> }>(part: T): T
  /** Gives a host its addresses, IPv4 and IPv6, for no time at all. */
  point(host: string, ...addresses: string[]): void
  /** Gives a service name its records, for no time at all. */
  srv(name: string, ...records: SrvRecord[]): void
  /**
   * Starts a service to which 127.0.0.1 to 127.0.0.3 and ::1 are permitted, the rest of the special
   * networks not, and whose users are restricted.
   */
  service(options?: TestAppOptions): Promise<Service>
  /** Fails when an OpenID token, percent-encoded or not, is in the log of any service. */
  expectNoTokenLogged(): void
  close(): Promise<void>
}

function subjectOf(jwt: string): string {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).sub
}

const ENV = {
  LIVEKIT_FULL_ACCESS_HOMESERVERS: 'operator.test',
  LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/30,::1',
}

/** Sets the stage; from then on the whole process asks its DNS. */
export async function setStage(): Promise<Stage> {
  const authority = await createAuthority()
  const dns = await useDnsServer()
  const parts: { close(): Promise<void> }[] = [dns]
  const services: TestApp[] = []
  const tokens = new Set<string>()

  function keep<T extends { close(): Promise<void> }>(part: T): T {
    parts.push(part)
    return part
  }

  function withAsk(app: TestApp): Service {
    return {
      ...app,
      async ask(serverName, openIdToken = crypto.randomUUID()) {
        tokens.add(openIdToken)
        const response = await app.post('/sfu/get', {
          room: '!room:example.com',
          openid_token: { access_token: openIdToken, matrix_server_name: serverName },
          device_id: 'DEVICE',
        })
        const body = (await response.json()) as { readonly jwt?: string }
        const requestId = response.headers.get('x-request-id') ?? ''
        const { step, cause, code } = await until(() =>
          app.log.find((line) => line.request_id === requestId),
        )
        const identity = body.jwt === undefined ? undefined : subjectOf(body.jwt)
        return { status: response.status, identity, step, cause, code }
      },
    }
  }

  return {
    authority,
    dns,
    keep,
    async homeserver(names, listen = {}) {
      return keep(await startHomeserver({ ...listen, certificate: await authority.issue(names) }))
    },
    point(host, ...addresses) {
      const records = (data: readonly DnsData[]) => ({ records: data, ttlSeconds: 0 })
      dns.set(host, 'A', records(addresses.filter((address) => !address.includes(':'))))
      dns.set(host, 'AAAA', records(addresses.filter((address) => address.includes(':'))))
    },
    srv: (name, ...records) => dns.set(name, 'SRV', { records, ttlSeconds: 0 }),
    async service(options = {}) {
      const tuning = { ca: authority.caPem, ...options.tuning }
      const app = await startTestApp({ ...options, env: { ...ENV, ...options.env }, tuning })
      services.push(keep(app))
      return withAsk(app)
    },
    expectNoTokenLogged() {
      const log = JSON.stringify(services.map((service) => service.log))
      for (const token of tokens) {
        expect(log).not.toContain(token)
        expect(log).not.toContain(encodeURIComponent(token))
      }
    },
    async close() {
      for (const part of parts.toReversed()) await part.close()
      await authority.dispose()
    },
  }
}
