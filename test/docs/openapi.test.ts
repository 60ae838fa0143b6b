import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { startTestApp, type TestApp } from '../support/app.ts'
import { findClosedPort } from '../support/dead-end.ts'

interface MediaTypes {
  readonly content?: Readonly<Record<string, MediaType>>
}

interface MediaType {
  readonly schema: Schema
  readonly example?: unknown
}

interface Schema {
  readonly $ref?: string
  readonly enum?: readonly string[]
  readonly examples?: readonly unknown[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
  readonly description?: string
  readonly maximum?: number
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  readonly deprecated?: boolean
  readonly requestBody?: MediaTypes
  readonly responses: Readonly<Record<string, MediaTypes & { readonly description: string }>>
}

interface OpenApiDocument {
  readonly openapi: string
  readonly info: Readonly<Record<string, string>>
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

let app: TestApp
let document: OpenApiDocument

beforeAll(async () => {
  const nowhere = `http://127.0.0.1:${await findClosedPort()}`
  app = await startTestApp({ env: { LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${nowhere}` } })
  const response = await fetch(`${app.url}/swagger/json`)
  document = (await response.json()) as OpenApiDocument
})

afterAll(() => app.close())

function post(path: string): Operation {
  const operation = document.paths[path]?.post
  if (operation === undefined) throw new Error(`no POST ${path}`)
  return operation
}

/** A schema, or the named one that it refers to. */
function resolved(schema: Schema | undefined): Schema {
  const name = schema?.$ref?.replace('#/components/schemas/', '')
  return (name === undefined ? schema : document.components.schemas[name]) ?? {}
}

function bodyOf(path: string): Schema {
  return resolved(post(path).requestBody?.content?.['application/json']?.schema)
}

describe('the OpenAPI document', () => {
  test('is valid by its specification', async () => {
    const validator = new Validator()
    expect(await validator.validate(structuredClone({ ...document }))).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  test('describes the service and its relative URL, whatever the path prefix', () => {
    expect(document.info).toMatchObject({ title: 'jwt-service-ts', version: '0.0.0-test' })
    expect(document.servers.map(({ url }) => url)).toEqual(['..'])
    expect(document.tags.map(({ name }) => name)).toEqual(['Tokens', 'Delegation', 'Operation'])
  })

  test('tells client developers all that they must know, section by section', () => {
    expect(document.info.description?.match(/^## .*/gm)).toEqual([
      '## What a client does',
      '## Requests and answers',
      '## The two tokens',
      '## Names of rooms and participants',
      '## Restricted users',
      '## Delayed leave events',
      '## Errors, and what to do',
    ])
  })

  test('says what to do about every error that an endpoint for clients can answer with', () => {
    const described = new Set(document.info.description?.match(/^\| \d{3} +\| `\w+`/gm))
    const rows = [...described].map((row) => row.replaceAll(/[| `]+/g, ' ').trim())
    const answers = ['/get_token', '/sfu/get', '/delegate_delayed_leave'].flatMap((path) => {
      return Object.entries(post(path).responses).flatMap(([status, { description }]) => {
        return [...description.matchAll(/`(M_\w+)`/g)].map(([, errcode]) => `${status} ${errcode}`)
      })
    })
    expect(rows.toSorted()).toEqual([...new Set([...answers, '404 M_UNRECOGNIZED'])].toSorted())
  })

  test('has these operations and no others', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) => {
      return Object.entries(methods).map(([method, { operationId, tags, summary }]) => {
        return [method, path, operationId, tags.join(), summary]
      })
    })
    expect(operations.sort()).toEqual([
      ['get', '/healthz', 'getHealthz', 'Operation', 'Health check'],
      ['head', '/healthz', 'headHealthz', 'Operation', 'Health check'],
      [
        'post',
        '/delegate_delayed_leave',
        'delegateDelayedLeave',
        'Delegation',
        'Hands a delayed leave event over to the service',
      ],
      [
        'post',
        '/get_token',
        'getToken',
        'Tokens',
        'Exchanges an OpenID token for a LiveKit access token',
      ],
      ['post', '/sfu/get', 'sfuGet', 'Tokens', 'The deprecated form of /get_token'],
      ['post', '/sfu_webhook', 'sfuWebhook', 'Operation', "Receives the SFU's webhooks"],
    ])
    expect(post('/sfu/get').deprecated).toBe(true)
    expect(post('/get_token').deprecated).toBeUndefined()
  })

  test.each([
    ['/get_token', 'application/json', '200 400 401 405 413 429 500 503'],
    ['/sfu/get', 'application/json', '200 400 401 405 413 429 500 503'],
    ['/delegate_delayed_leave', 'application/json', '200 400 401 403 405 413 429 503'],
    ['/sfu_webhook', 'application/webhook+json', '200 401 405 413 503'],
  ])('gives every answer of %s as JSON alone', (path, requestType, statuses) => {
    const { requestBody, responses } = post(path)
    expect(Object.keys(requestBody?.content ?? {})).toEqual([requestType])
    expect(Object.keys(responses).join(' ')).toBe(statuses)
    for (const { content, description } of Object.values(responses)) {
      expect(Object.keys(content ?? {})).toEqual(['application/json'])
      expect(description).not.toBe('')
    }
  })

  test.each([
    ['400', 'M_BAD_JSON', 'The field "member.id" is missing, empty or of the wrong type.'],
    ['401', 'M_UNAUTHORIZED', 'The request could not be authorised.'],
    ['405', 'M_UNRECOGNIZED', 'Method not allowed'],
    ['413', 'M_TOO_LARGE', 'The body is larger than 64 KiB.'],
    ['500', 'M_UNKNOWN', 'Unable to create room on SFU'],
    ['503', 'M_UNKNOWN', 'The service is shutting down.'],
  ])('describes the error %s of a token endpoint with an example', (status, errcode, error) => {
    const { description, content } = post('/get_token').responses[status] ?? {}
    expect(description).toStartWith(`\`${status === '400' ? 'M_NOT_JSON' : errcode}\`: `)
    const { schema, example } = content?.['application/json'] ?? {}
    expect(schema).toEqual({ $ref: '#/components/schemas/MatrixError' })
    expect(resolved(schema).required).toEqual(['errcode', 'error'])
    expect(resolved(schema).properties?.errcode?.enum).toContain(errcode)
    expect(example).toEqual({ errcode, error })
  })

  test('describes every field of the bodies, and which are required', () => {
    const getToken = bodyOf('/get_token')
    expect(getToken.required).toEqual(['room_id', 'slot_id', 'openid_token', 'member'])
    expect(Object.keys(getToken.properties ?? {})).toEqual([
      'room_id',
      'slot_id',
      'openid_token',
      'member',
      'delayed_event_id',
      'delay_id',
      'delay_timeout',
      'delay_cs_api_url',
    ])
    const delegate = bodyOf('/delegate_delayed_leave')
    expect(delegate.required).toEqual([
      'room_id',
      'slot_id',
      'openid_token',
      'member',
      'delay_id',
      'delay_timeout',
    ])
    expect(Object.keys(delegate.properties ?? {}).sort()).toEqual(
      Object.keys(getToken.properties ?? {}).sort(),
    )
    expect(bodyOf('/sfu/get').anyOf?.map((form) => resolved(form).required)).toEqual([
      ['room', 'openid_token'],
      ['room_id', 'slot_id', 'openid_token', 'member'],
    ])
  })

  test('bounds the delay, and gives no type to a field that the service does not look at', () => {
    const { properties = {} } = bodyOf('/delegate_delayed_leave')
    expect(properties.delay_timeout?.maximum).toBe(2_592_000_000)
    const { delay_cs_api_url, delayed_event_id, openid_token } = properties
    const { expires_in, token_type } = resolved(openid_token).properties ?? {}
    for (const ignored of [delay_cs_api_url, delayed_event_id, expires_in, token_type]) {
      expect(ignored).toEqual({ description: expect.stringContaining('gnored') })
    }
  })

  test.each([
    [
      '/delegate_delayed_leave',
      '400',
      'M_NOT_JSON',
      ['M_BAD_JSON', 'Unable to resolve client-server API'],
    ],
    [
      '/delegate_delayed_leave',
      '403',
      'M_FORBIDDEN',
      ['M_FORBIDDEN', 'Delegation of delayed leave events is not available to this user.'],
    ],
    [
      '/sfu_webhook',
      '401',
      'M_UNAUTHORIZED',
      ['M_UNAUTHORIZED', 'The webhook is not signed by the SFU.'],
    ],
    ['/sfu_webhook', '413', 'M_TOO_LARGE', ['M_TOO_LARGE', 'The body is larger than 1024 KiB.']],
    ['/sfu_webhook', '503', 'M_UNKNOWN', ['M_UNKNOWN', 'The service is shutting down.']],
  ])('describes for %s the error %s, with an example', (path, status, first, example) => {
    const { description, content } = post(path).responses[status] ?? {}
    expect(description).toStartWith(`\`${first}\`: `)
    const [errcode, error] = example
    expect(content?.['application/json']?.example).toEqual({ errcode, error })
  })

  test('defines named components and refers to them everywhere', () => {
    const names = [
      ...['DelegateBody', 'GetTokenBody', 'LegacyBody', 'MatrixError'],
      ...['Member', 'OpenIdToken', 'TokenAnswer'],
    ]
    expect(Object.keys(document.components.schemas)).toEqual(names)
    const text = JSON.stringify(document)
    for (const name of names) expect(text).toContain(`"$ref":"#/components/schemas/${name}"`)
    // A member of each; it is described nowhere else.
    for (const member of ['access_token', 'claimed_device_id', 'jwt', 'errcode']) {
      expect(text.split(`"${member}":{`)).toHaveLength(2)
    }
    expect(text).not.toContain('"error":"refused"')
  })

  test('has examples that the service itself accepts', async () => {
    for (const path of ['/get_token', '/sfu/get', '/delegate_delayed_leave']) {
      const { examples = [] } = bodyOf(path)
      expect(examples).toHaveLength(path === '/sfu/get' ? 2 : 1)
      for (const example of examples) {
        // Nothing listens for example.com, so that 401 is as far as a good body can get.
        expect((await app.post(path, example)).status).toBe(401)
      }
    }
  })
})
