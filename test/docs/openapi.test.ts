import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { startTestApp, type TestApp } from '../support/app.ts'
import { findClosedPort } from '../support/dead-end.ts'

interface MediaTypes {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

interface Schema {
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

describe('the OpenAPI document', () => {
  test('is valid by its specification', async () => {
    const validator = new Validator()
    expect(await validator.validate(structuredClone({ ...document }))).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  test('says what the service is, and where, whatever the path prefix', () => {
    expect(document.info).toMatchObject({ title: 'jwt-service-ts', version: '0.0.0-test' })
    expect(document.servers.map(({ url }) => url)).toEqual(['..'])
    expect(document.tags.map(({ name }) => name)).toEqual(['Tokens', 'Delegation', 'Operation'])
  })

  test('has these operations and no others', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) => {
      return Object.entries(methods).map(([method, { operationId, tags, summary }]) => {
        return [method, path, operationId, tags.join(), summary]
      })
    })
    expect(operations.sort()).toEqual([
      ['get', '/healthz', 'getHealthz', 'Operation', 'Tells whether the service is up'],
      ['head', '/healthz', 'headHealthz', 'Operation', 'Tells whether the service is up'],
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
    const { properties, required } = content?.['application/json']?.schema ?? {}
    expect(required).toEqual(['errcode', 'error'])
    expect(properties?.errcode?.examples).toEqual([errcode])
    expect(properties?.error?.examples).toEqual([error])
  })

  test('describes every field of the bodies, and says which are required', () => {
    const getToken = post('/get_token').requestBody?.content?.['application/json']?.schema
    expect(getToken?.required).toEqual(['room_id', 'slot_id', 'openid_token', 'member'])
    expect(Object.keys(getToken?.properties ?? {})).toEqual([
      'room_id',
      'slot_id',
      'openid_token',
      'member',
      'delayed_event_id',
      'delay_id',
      'delay_timeout',
      'delay_cs_api_url',
    ])
    const delegate = post('/delegate_delayed_leave').requestBody?.content?.['application/json']
    expect(delegate?.schema.required).toEqual([
      'room_id',
      'slot_id',
      'openid_token',
      'member',
      'delay_id',
      'delay_timeout',
    ])
    expect(Object.keys(delegate?.schema.properties ?? {}).sort()).toEqual(
      Object.keys(getToken?.properties ?? {}).sort(),
    )
    const sfuGet = post('/sfu/get').requestBody?.content?.['application/json']?.schema
    expect(sfuGet?.anyOf?.map(({ required }) => required)).toEqual([
      ['room', 'openid_token'],
      ['room_id', 'slot_id', 'openid_token', 'member'],
    ])
  })

  test('bounds the delay, and gives no type to a field that the service does not look at', () => {
    const { schema } =
      post('/delegate_delayed_leave').requestBody?.content?.['application/json'] ?? {}
    expect(schema?.properties?.delay_timeout?.maximum).toBe(2_592_000_000)
    const { delay_cs_api_url, delayed_event_id, openid_token } = schema?.properties ?? {}
    const { expires_in, token_type } = openid_token?.properties ?? {}
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
    const { properties } = content?.['application/json']?.schema ?? {}
    expect([properties?.errcode?.examples, properties?.error?.examples]).toEqual(
      example.map((text) => [text]),
    )
  })

  test('has examples that the service itself takes', async () => {
    for (const path of ['/get_token', '/sfu/get', '/delegate_delayed_leave']) {
      const examples = post(path).requestBody?.content?.['application/json']?.schema.examples ?? []
      expect(examples).toHaveLength(path === '/sfu/get' ? 2 : 1)
      for (const example of examples) {
        // Nothing listens for example.com, so that 401 is as far as a good body can get.
        expect((await app.post(path, example)).status).toBe(401)
      }
    }
  })
})
