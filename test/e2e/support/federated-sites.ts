import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority } from '../../support/certificates.ts'
import { freePort } from '../../support/free-port.ts'
import { type LiveKit, startLiveKit } from './livekit.ts'
import { type Registration, register } from './registration.ts'
import { type Service, startService } from './service.ts'
import { type Synapse, startSynapse } from './synapse.ts'
import { createTemporaryDirectory } from './temporary-directory.ts'
import { logWebhooks, type WebhookLog } from './webhook-log.ts'

/** A Matrix site that offers calls by an application service, and federates with others. */
export interface FederatedSite extends AsyncDisposable {
  readonly serverName: string
  readonly synapse: Synapse
  readonly livekit: LiveKit
  /** What the service is told by LiveKit. */
  readonly webhooks: WebhookLog
  readonly service: Service
  readonly registration: Registration
  /** Of the service. */
  readonly settings: Readonly<Record<string, string>>
  /** Directory of all files of the site. */
  readonly directory: string
}

/** How to start {@link FederatedSite}s. */
export interface FederatedSitesOptions {
  /** Names of their directories, one for each site. */
  readonly names: readonly [string, string]
  /** How often a service looks for participants who have left their Matrix room. */
  readonly membershipCheckSeconds: number
}

/** Two sites that know each other, and end together. */
export interface FederatedSites extends AsyncDisposable {
  readonly sites: readonly [FederatedSite, FederatedSite]
}

const address = '127.0.0.1'
const hostName = 'localhost'

/**
 * Starts two homeservers, named by the port that they federate at, each with an SFU and the compiled
 * binary as its application service.
 */
export async function startFederatedSites(options: FederatedSitesOptions): Promise<FederatedSites> {
  await using started = new AsyncDisposableStack()
  const { path } = started.use(await createTemporaryDirectory('e2e-federated'))
  const start = (name: string) => startSite(join(path, name), options.membershipCheckSeconds)
  const [first, second] = options.names
  const sites = await useAll(started, [start(first), start(second)])
  const owned = started.move()
  return { sites, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function startSite(directory: string, membershipCheckSeconds: number) {
  await using started = new AsyncDisposableStack()
  await mkdir(directory)
  const authority = started.use(await createAuthority())
  const certificate = await authority.issue({ dns: [hostName] })
  const tlsPort = freePort(address)
  const serverName = `${hostName}:${tlsPort}`
  const port = freePort(address)
  const serviceUrl = `http://${address}:${port}`
  const plainPort = freePort(address)

  const registration = await register({
    file: join(directory, 'registration.yaml'),
    serviceUrl,
    serverName,
  })
  const webhooks = started.use(logWebhooks())
  const webhookUrls = [`${serviceUrl}/sfu_webhook`, webhooks.url]
  const livekit = started.use(await startLiveKit({ directory, webhookUrls }))
  const settings = {
    LIVEKIT_URL: livekit.url,
    LIVEKIT_KEY: livekit.apiKey,
    LIVEKIT_SECRET: livekit.apiSecret,
    // Full access is granted to nobody, so that only the homeserver's word lets users in.
    LIVEKIT_FULL_ACCESS_HOMESERVERS: 'nobody.test',
    LIVEKIT_AS_REGISTRATION_FILE: registration.file,
    LIVEKIT_HS_SERVER_NAME: serverName,
    LIVEKIT_CS_API_URL_OVERRIDES: `${serverName}=http://${address}:${plainPort}`,
    LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: String(membershipCheckSeconds),
  }
  const [synapse, service] = await useAll(started, [
    startSynapse({
      serverName,
      directory,
      address,
      tlsPort,
      plainPort,
      certificate,
      applicationService: { registrationFile: registration.file, sfuUrl: livekit.url },
    }),
    startService({
      name: 'service',
      directory,
      hosts: {},
      port,
      settings,
    }),
  ])
  const owned = started.move()
  return {
    serverName,
    synapse,
    livekit,
    webhooks,
    service,
    registration,
    settings,
    directory,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Waits for all that is starting; when one fails, the stack ends those that did start. */
async function useAll<Parts extends readonly [AsyncDisposable, AsyncDisposable]>(
  stack: AsyncDisposableStack,
  starting: { readonly [Index in keyof Parts]: Promise<Parts[Index]> },
): Promise<Parts> {
  const results = await Promise.allSettled<AsyncDisposable>(starting)
  for (const result of results) if (result.status === 'fulfilled') stack.use(result.value)
  return (await Promise.all<AsyncDisposable>(starting)) as unknown as Parts
}
