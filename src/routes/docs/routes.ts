import { swagger } from '@elysiajs/swagger'
import { Elysia } from 'elysia'
import { ASSETS, type Asset } from './assets.ts'
import { CONTENT_SECURITY_POLICY, PAGE, START_SCRIPT } from './page.ts'

const DESCRIPTION = `Between Matrix clients and a LiveKit SFU: a client proves who it is with a Matrix
OpenID token, and gets a LiveKit access token for the call of a Matrix room.

Bodies are JSON, whatever their \`Content-Type\`. Unknown fields are ignored. Every answer carries an
\`X-Request-Id\`, which the service's log carries too; a well-formed one in the request is kept.`

const HIDDEN = { detail: { hide: true } }

function headers(contentType: string): Record<string, string> {
  return {
    'content-type': contentType,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  }
}

function textAnswer(text: string, contentType: string) {
  return () => new Response(text, { headers: headers(`${contentType}; charset=utf-8`) })
}

function fileAnswer({ path, contentType }: Asset) {
  return () => new Response(Bun.file(path), { headers: headers(contentType) })
}

/**
 * The API pages: `/swagger` and, as OpenAPI document, `/swagger/json`.
 *
 * @param version - of the service
 */
export function docsRoutes(version: string) {
  const app = new Elysia({ name: 'docs' })
    .use(
      swagger({
        path: '/swagger',
        documentation: {
          info: { title: 'jwt-service-ts', version, description: DESCRIPTION },
          // Relative to the document, and so right behind any path prefix.
          servers: [{ url: '..', description: 'This service' }],
          tags: [
            { name: 'Tokens', description: 'Matrix OpenID token in, LiveKit access token out' },
            { name: 'Operation', description: 'For those who run the service' },
          ],
        },
      }),
    )
    // Takes the place of the plugin's own page, which loads its viewer from a public CDN.
    .get('/swagger', textAnswer(PAGE, 'text/html'), HIDDEN)
    .get('/swagger/start.js', textAnswer(START_SCRIPT, 'text/javascript'), HIDDEN)
  for (const [name, asset] of Object.entries(ASSETS)) {
    app.get(`/swagger/${name}`, fileAnswer(asset), HIDDEN)
  }
  return app
}
