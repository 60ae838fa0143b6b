import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import { HIDDEN } from '../../http/methods.ts'
import { pathOf } from '../../http/request-path.ts'
import { HOMESERVER_TOKEN, MEMBER_TAG } from '../member-documentation.ts'
import { MEMBER_MODELS } from '../member-models.ts'
import { NAMED_MODELS } from '../models.ts'
import { refineDocument } from './document.ts'
import guide from './guide.md' with { type: 'text' }
import membersGuide from './guide-members.md' with { type: 'text' }
import { ASSETS, type Asset, CONTENT_SECURITY_POLICY, PAGE, START_SCRIPT } from './page.ts'

/** The first OpenAPI version whose schemas are full JSON Schema, like those of the bodies. */
const OPENAPI = '3.1.0'

function headers(contentType: string): Record<string, string> {
  return {
    'content-type': contentType,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  }
}

function answerStartScript(): Response {
  return new Response(START_SCRIPT, { headers: headers('text/javascript; charset=utf-8') })
}

/** The page. Its relative links work only without a trailing slash, so that one is redirected. */
function answerPage({ request }: { readonly request: Request }): Response {
  if (!pathOf(request).endsWith('/')) {
    return new Response(PAGE, { headers: headers('text/html; charset=utf-8') })
  }
  return new Response(null, { status: 308, headers: { location: '../swagger' } })
}

function fileAnswer({ path, contentType }: Asset) {
  return () => new Response(Bun.file(path), { headers: headers(contentType) })
}

/** Options of {@link docsRoutes}. */
export interface DocsRoutesOptions {
  /** Of the service. */
  readonly version: string
  /** Routes that the document describes. */
  readonly documented: AnyElysia
  /** Whether the routes of application-service mode are among them. */
  readonly hasMembers: boolean
}

function documentation({ version, hasMembers }: Omit<DocsRoutesOptions, 'documented'>) {
  const description = hasMembers ? `${guide}\n${membersGuide}` : guide
  return {
    openapi: OPENAPI,
    info: { title: 'jwt-service-ts', version, description },
    // Relative to the document, so that it works behind any path prefix.
    servers: [{ url: '..', description: 'This service' }],
    tags: [
      { name: 'Tokens', description: 'Matrix OpenID token in, LiveKit access token out' },
      { name: 'Delegation', description: 'Delayed leave events, taken over by the service' },
      ...(hasMembers ? [MEMBER_TAG] : []),
      { name: 'Operation', description: 'For those who run the service' },
    ],
    components: {
      securitySchemes: {
        webhookToken: {
          type: 'apiKey' as const,
          in: 'header',
          name: 'Authorization',
          description:
            "A JWT (HS256) signed with the SFU's API secret, without a scheme, whose `sha256` is the " +
            'padded base64 of the SHA-256 of the body.',
        },
        ...(hasMembers && { homeserverToken: HOMESERVER_TOKEN }),
      },
    },
  }
}

/** Internal path of the plugin's document; never served. */
const SOURCE_PATH = '/source'

/** Builds the document on first use, when all routes are registered. */
function documentMaker({ version, documented, hasMembers }: DocsRoutesOptions) {
  const models = { ...NAMED_MODELS, ...(hasMembers && MEMBER_MODELS) }
  const source = new Elysia()
    .use(documented)
    .use(swagger({ path: SOURCE_PATH, documentation: documentation({ version, hasMembers }) }))
  let made: Promise<object> | undefined

  async function make(): Promise<object> {
    const answer = await source.handle(new Request(`http://localhost${SOURCE_PATH}/json`))
    return refineDocument((await answer.json()) as object, models)
  }
  return function makeDocument() {
    made ??= make()
    return made
  }
}

/** The API page at `/swagger` and the OpenAPI document at `/swagger/json`. */
export function docsRoutes(options: DocsRoutesOptions) {
  const makeDocument = documentMaker(options)
  const app = new Elysia({ name: 'docs' })
    // Instead of the plugin's own page, which loads its viewer from a public CDN.
    .get('/swagger', answerPage, HIDDEN)
    .get('/swagger/json', async () => Response.json(await makeDocument()), HIDDEN)
    .get('/swagger/start.js', answerStartScript, HIDDEN)
  for (const [name, asset] of Object.entries(ASSETS)) {
    app.get(`/swagger/${name}`, fileAnswer(asset), HIDDEN)
  }
  return app
}
