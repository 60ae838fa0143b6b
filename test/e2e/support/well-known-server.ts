import type { Certificate } from '../../support/certificates.ts'

/** What a server name's owner publishes under `/.well-known/matrix/`. */
export interface WellKnownDocuments {
  /** Host and port of the server-server API. */
  readonly server: string
  /** Base URL of the client-server API. */
  readonly client: string
}

/**
 * Serves both well-known documents at the port that the specification fixes, over TLS.
 *
 * @see https://spec.matrix.org/latest/server-server-api/#getwell-knownmatrixserver
 */
export function serveWellKnown(
  address: string,
  certificate: Certificate,
  documents: WellKnownDocuments,
): AsyncDisposable {
  const server = Bun.serve({
    hostname: address,
    port: 443,
    tls: { cert: certificate.certPem, key: certificate.keyPem },
    routes: {
      '/.well-known/matrix/server': Response.json({ 'm.server': documents.server }),
      '/.well-known/matrix/client': Response.json({
        'm.homeserver': { base_url: documents.client },
      }),
    },
    fetch: () => new Response(null, { status: 404 }),
  })
  return { [Symbol.asyncDispose]: () => server.stop(true) }
}
