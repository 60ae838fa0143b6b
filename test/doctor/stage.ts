import { doctor } from '../../src/commands/doctor/doctor.ts'
import type { Finding } from '../../src/commands/doctor/report.ts'
import { createPrometheusMetrics } from '../../src/prometheus.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type Authority, type CertificateNames, createAuthority } from '../support/certificates.ts'
import { CREDENTIAL_SETTINGS, CREDENTIALS } from '../support/credentials.ts'
import { useDnsServer } from '../support/dns-in-use.ts'
import type { DnsServer } from '../support/dns-server.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { type Sfu, type SfuOptions, startSfu } from '../support/sfu.ts'

/** What the doctor said. */
export interface Examination {
  readonly exitCode: number
  readonly findings: readonly Finding[]
  /** Codes of warnings and problems, in order. */
  readonly codes: readonly string[]
  /** All that was written, to both streams. */
  readonly text: string
}

/** What differs from an arrangement in which all is well. */
export interface Arrangement {
  readonly env?: Readonly<Record<string, string>>
  readonly sfu?: Partial<SfuOptions>
  /** Names of the homeserver's certificate. */
  readonly certificate?: CertificateNames
  /** Addresses of the homeserver's host; 127.0.0.1 unless given. */
  readonly addresses?: readonly string[]
  /** Where the federation API is looked for without delegation; at the homeserver unless given. */
  readonly federationPort?: number
  /** Whether `/.well-known/matrix/server` leads to the homeserver; true unless given. */
  readonly isDelegated?: boolean
  /** Makes the homeserver misbehave. */
  readonly homeserver?: (homeserver: Homeserver) => void
  /** Makes the SFU misbehave. */
  readonly misbehave?: (sfu: Sfu) => void
  /** What follows the command, instead of the server name. */
  readonly args?: readonly string[]
  /** What standard input holds. */
  readonly input?: string
  /** Whether the SFU is told where webhooks go; true unless given. */
  readonly hasWebhooks?: boolean
  /** What the running service is started with. */
  readonly service?: Readonly<Record<string, string>>
  /** Done with the running service before the doctor comes. */
  readonly beforehand?: (service: TestApp) => Promise<void>
  /** Whether the SFU is given as `LIVEKIT_INTERNAL_URL`, and not as `LIVEKIT_URL`. */
  readonly isInternal?: boolean
}

/** A homeserver, an SFU, a DNS and a running service, all in this process. */
export interface DoctorStage {
  readonly authority: Authority
  readonly dns: DnsServer
  /** Arranges everything, and has the doctor look at it. */
  examine(arrangement?: Arrangement): Promise<Examination>
  close(): Promise<void>
}

/** The homeserver that is looked at. */
export const SERVER_NAME = 'example.test'

const GOOD_CERTIFICATE: CertificateNames = {
  dns: [SERVER_NAME],
  notAfter: new Date(Date.now() + 90 * 86_400_000),
}

function publish(homeserver: Homeserver, isDelegated: boolean): void {
  const base = `https://${SERVER_NAME}:${homeserver.port}`
  const cors = { 'access-control-allow-origin': '*' }
  const version = { server: { name: 'Synapse', version: '1.163.2' } }
  homeserver.respond('/_matrix/federation/v1/version', reply(200, version))
  if (isDelegated) homeserver.setWellKnownServer(`${SERVER_NAME}:${homeserver.port}`)
  const foci = [{ type: 'livekit', livekit_service_url: `${base}/jwt` }]
  const document = {
    'm.homeserver': { base_url: base },
    'org.matrix.msc4143.rtc_foci': foci,
  }
  homeserver.respond('/.well-known/matrix/client', reply(200, document, cors))
  homeserver.respond('/jwt/get_token', reply(400, { errcode: 'M_BAD_JSON', error: 'no room_id' }))
}

/** Starts the service that the doctor asks, with its metrics listener. */
async function startRunningService(env: Readonly<Record<string, string>> = {}) {
  const metrics = createPrometheusMetrics('0.0.0-test')
  const service = await startTestApp({ env, metrics })
  const listener = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: service.app.operation })
  return {
    service,
    url: service.url,
    metricsBind: `127.0.0.1:${listener.port}`,
    async close() {
      await listener.stop(true)
      await service.close()
    },
  }
}

/** Sets the stage; from then on the whole process asks its DNS. */
export async function setDoctorStage(): Promise<DoctorStage> {
  const authority = await createAuthority()
  const dns = await useDnsServer()

  async function examine(arrangement: Arrangement = {}): Promise<Examination> {
    const { certificate = GOOD_CERTIFICATE, addresses = ['127.0.0.1'] } = arrangement
    const homeserver = await startHomeserver({
      serverName: SERVER_NAME,
      certificate: await authority.issue(certificate),
    })
    publish(homeserver, arrangement.isDelegated ?? true)
    arrangement.homeserver?.(homeserver)
    dns.set(SERVER_NAME, 'A', { records: [...addresses], ttlSeconds: 0 })

    const service = await startRunningService(arrangement.service)
    const webhookUrls = (arrangement.hasWebhooks ?? true) ? [`${service.url}/sfu_webhook`] : []
    const sfu = await startSfu({ ...CREDENTIALS, webhookUrls, ...arrangement.sfu })
    arrangement.misbehave?.(sfu)

    await arrangement.beforehand?.(service.service)
    const sfuUrl = sfu.url.replace(/^http/, 'ws')
    const written: string[] = []
    const write = (text: string) => void written.push(text)
    const env = {
      [(arrangement.isInternal ?? false) ? 'LIVEKIT_INTERNAL_URL' : 'LIVEKIT_URL']: sfuUrl,
      ...CREDENTIAL_SETTINGS,
      LIVEKIT_FULL_ACCESS_HOMESERVERS: SERVER_NAME,
      LIVEKIT_METRICS_BIND: service.metricsBind,
      ...arrangement.env,
    }
    const { args = [SERVER_NAME], federationPort = homeserver.port } = arrangement
    try {
      const exitCode = await doctor(
        [...args, '--json'],
        env,
        { out: write, err: write },
        {
          version: '0.0.0-test',
          isTerminal: false,
          webhookMs: 1_000,
          readInput: async () => arrangement.input ?? '',
          tuning: {
            ca: authority.caPem,
            wellKnownPort: homeserver.port,
            federationPort,
            exchangeTimeoutMs: 3_000,
            dnsTimeoutMs: 1_000,
          },
        },
      )
      const text = written.join('')
      const { findings } = JSON.parse(text) as { readonly findings: readonly Finding[] }
      const codes = findings.flatMap(({ code }) => (code === undefined ? [] : [code]))
      return { exitCode, findings, codes, text }
    } finally {
      await sfu.close()
      await service.close()
      await homeserver.close()
    }
  }

  return {
    authority,
    dns,
    examine,
    async close() {
      await dns.close()
      await authority.dispose()
    },
  }
}
