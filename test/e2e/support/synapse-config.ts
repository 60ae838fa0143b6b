import { join } from 'node:path'

/** Where Synapse keeps its files and listens, and who it is. */
export interface SynapseSettings {
  readonly serverName: string
  readonly directory: string
  readonly address: string
  /** Port of both APIs without TLS. */
  readonly plainPort: number
  /** Port of both APIs with TLS. */
  readonly tlsPort: number
  readonly registrationSecret: string
  /** The application service behind it; without one it talks to no other homeserver either. */
  readonly applicationService?: ApplicationServiceSettings
}

/** What a homeserver knows of the service that it runs calls with. */
export interface ApplicationServiceSettings {
  /** File that registers the service. */
  readonly registrationFile: string
  /** URL of the SFU, as the homeserver tells its clients. */
  readonly sfuUrl: string
}

/** Names of the files that Synapse reads besides its configuration, all in its directory. */
export const synapseFiles = {
  config: 'homeserver.yaml',
  logConfig: 'log.yaml',
  signingKey: 'signing.key',
  certificate: 'certificate.pem',
  privateKey: 'private-key.pem',
} as const

/**
 * A homeserver on SQLite that allows delayed events and limits no rates.
 *
 * @see https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html
 */
export function synapseConfig(settings: SynapseSettings): Record<string, unknown> {
  const file = (name: string) => join(settings.directory, name)
  return {
    server_name: settings.serverName,
    report_stats: false,
    pid_file: file('homeserver.pid'),
    listeners: [
      listener(settings, settings.plainPort, false),
      listener(settings, settings.tlsPort, true),
    ],
    tls_certificate_path: file(synapseFiles.certificate),
    tls_private_key_path: file(synapseFiles.privateKey),
    database: { name: 'sqlite3', args: { database: file('homeserver.db') } },
    log_config: file(synapseFiles.logConfig),
    media_store_path: file('media'),
    signing_key_path: file(synapseFiles.signingKey),
    registration_shared_secret: settings.registrationSecret,
    macaroon_secret_key: 'macaroons of the end-to-end tests',
    form_secret: 'forms of the end-to-end tests',
    trusted_key_servers: [],
    max_event_delay_duration: '24h',
    presence: { enabled: false },
    ...unlimitedRates,
    ...surroundings(settings.applicationService),
  }
}

/** Whom it talks to: no other homeserver, or the application service and whoever is on this machine. */
function surroundings(service: ApplicationServiceSettings | undefined) {
  if (service === undefined) return { federation_domain_whitelist: [] }
  return {
    app_service_config_files: [service.registrationFile],
    matrix_rtc: { transports: [{ type: 'livekit', url: service.sfuUrl }] },
    experimental_features: { msc4143_enabled: true, msc4502_enabled: true, msc4512_enabled: true },
    ip_range_blacklist: [],
    federation_verify_certificates: false,
  }
}

function listener(settings: SynapseSettings, port: number, tls: boolean) {
  return {
    port,
    tls,
    bind_addresses: [settings.address],
    type: 'http',
    x_forwarded: false,
    resources: [{ names: ['client', 'federation'], compress: false }],
  }
}

const unlimited = { per_second: 1_000_000, burst_count: 1_000_000 }

const unlimitedRates = {
  rc_message: unlimited,
  rc_registration: unlimited,
  rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
  rc_joins: { local: unlimited, remote: unlimited },
  rc_delayed_event_mgmt: unlimited,
  rc_room_creation: unlimited,
} as const

/** Warnings and errors, on standard error. */
export const synapseLogConfig = {
  version: 1,
  disable_existing_loggers: false,
  formatters: { line: { format: '%(asctime)s %(levelname)s %(name)s: %(message)s' } },
  handlers: { stderr: { class: 'logging.StreamHandler', formatter: 'line' } },
  root: { level: 'WARNING', handlers: ['stderr'] },
} as const
