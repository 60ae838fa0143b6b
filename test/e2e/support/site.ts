import { createAuthority } from '../../support/certificates.ts'
import { ownLoopbackAddress } from './addresses.ts'
import { type DoctorAnswer, runDoctor } from './doctor.ts'
import { type LiveKit, startLiveKit } from './livekit.ts'
import { type Service, startService } from './service.ts'
import { type Synapse, startSynapse } from './synapse.ts'
import { createTemporaryDirectory } from './temporary-directory.ts'
import { serveWellKnown } from './well-known-server.ts'

/** All that a Matrix site with calls runs, apart from the service itself. */
export interface Site extends AsyncDisposable {
  readonly serverName: string
  readonly synapse: Synapse
  readonly livekit: LiveKit
  /** Directory of all files of the site. */
  readonly directory: string
  /** Has the doctor look at the homeserver of the site, with further settings and arguments. */
  examine(
    settings: Readonly<Record<string, string>>,
    args?: readonly string[],
  ): Promise<DoctorAnswer>
  /** Starts an instance of the service that belongs to the site and ends with it. */
  startService(options: SiteServiceOptions): Promise<Service>
}

/** What {@link Site.startService} takes. */
export interface SiteServiceOptions {
  /** Tells the instances of a site apart. */
  readonly name: string
  /** Settings on top of the ones that name the site's LiveKit and trust its certificates. */
  readonly settings?: Readonly<Record<string, string>>
  /** Port to listen on; a free one by default. */
  readonly port?: number
}

/** How to start a {@link Site}. */
export interface SiteOptions {
  /** URLs that LiveKit tells of room and participant events. */
  readonly webhookUrls?: readonly string[]
}

const serverName = 'matrix.test'
const delegatedName = 'synapse.matrix.test'

/**
 * Starts Synapse, LiveKit and the well-known documents of `matrix.test`.
 *
 * The server name delegates to another name with a port, each with its own certificate; both
 * names resolve for the services of the site alone.
 */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  await using started = new AsyncDisposableStack()
  const { path: directory } = started.use(await createTemporaryDirectory('e2e'))
  const authority = started.use(await createAuthority())
  const address = ownLoopbackAddress()

  const livekit = started.use(await startLiveKit({ directory, ...options }))
  const synapse = started.use(
    await startSynapse({
      serverName,
      directory,
      address,
      certificate: await authority.issue({ dns: [delegatedName] }),
    }),
  )
  const delegated = `${delegatedName}:${synapse.tlsPort}`
  started.use(
    serveWellKnown(address, await authority.issue({ dns: [serverName] }), {
      server: delegated,
      client: `https://${delegated}`,
    }),
  )

  const hosts = { [serverName]: address, [delegatedName]: address }
  const common = {
    LIVEKIT_URL: livekit.url,
    LIVEKIT_KEY: livekit.apiKey,
    LIVEKIT_SECRET: livekit.apiSecret,
    NODE_EXTRA_CA_CERTS: authority.caFile,
  }
  const owned = started.move()
  return {
    serverName,
    synapse,
    livekit,
    directory,
    examine: (settings, args = []) => {
      const all = { ...common, ...settings }
      return runDoctor({ directory, hosts, settings: all, args: [serverName, ...args] })
    },
    startService: async ({ name, settings, port }) =>
      owned.use(
        await startService({
          name,
          directory,
          hosts,
          settings: { ...common, ...settings },
          ...(port !== undefined && { port }),
        }),
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
