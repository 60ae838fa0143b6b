import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { startTestApp } from '../support/app.ts'
import {
  ALICE,
  BOB,
  type CallStage,
  headersOf,
  MATRIX_ROOM,
  post,
  startCallStage,
} from '../support/member-calls.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'

interface Schema {
  readonly $ref?: string
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly examples?: readonly Readonly<Record<string, unknown>>[]
}

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security?: unknown
  readonly parameters?: readonly Readonly<Record<string, unknown>>[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, unknown>> }>
  >
}

interface OpenApiDocument {
  readonly info: { readonly description: string }
  readonly tags: readonly { readonly name: string }[]
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly securitySchemes?: Readonly<Record<string, unknown>>
  }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

let stage: CallStage
let text = ''
let document: OpenApiDocument
let standalone: OpenApiDocument

beforeAll(async () => {
  stage = await startCallStage()
  text = await (await fetch(`${stage.app.url}/swagger/json`)).text()
  document = JSON.parse(text)
  await using app = await startTestApp()
  standalone = (await (await fetch(`${app.url}/swagger/json`)).json()) as OpenApiDocument
})
afterAll(() => stage.close())

const CLIENT = '/_matrix/client/v1/rtc/livekit/get_token'
const LEAVE = '/_matrix/client/v1/rtc/livekit/delegate_delayed_leave'
const FEDERATION = '/_matrix/federation/v1/rtc/livekit/get_token'
const PING = '/_matrix/app/v1/ping'

function operation(path: string): Operation {
  const found = document.paths[path]?.post
  if (found === undefined) throw new Error(`no POST ${path}`)
  return found
}

function bodyOf(path: string): Schema {
  const schema = operation(path).requestBody?.content['application/json']?.schema
  return document.components.schemas[schema?.$ref?.replace('#/components/schemas/', '') ?? ''] ?? {}
}

describe('the OpenAPI document, when the mode is on,', () => {
  test('is valid by its specification', async () => {
    const copy = structuredClone({ ...document })
    expect(await new Validator().validate(copy)).toEqual({ valid: true })
  })

  test('has the stable paths in a section of their own, beside the others', () => {
    const names = document.tags.map(({ name }) => name)
    expect(names).toEqual(['Tokens', 'Delegation', 'Application service', 'Operation'])
    const own = Object.entries(document.paths).filter(([path]) => path.startsWith('/_matrix'))
    const operations = own.map(([path, methods]) => {
      return [path, Object.keys(methods), methods.post?.operationId, methods.post?.tags]
    })
    const tags = ['Application service']
    expect(operations.toSorted()).toEqual([
      [PING, ['post'], 'ping', tags],
      [LEAVE, ['post'], 'delegateMemberLeave', tags],
      [CLIENT, ['post'], 'getMemberToken', tags],
      [FEDERATION, ['post'], 'getFederatedToken', tags],
    ])
    expect(Object.keys(document.paths).filter((path) => !path.startsWith('/_matrix'))).toEqual(
      Object.keys(standalone.paths),
    )
  })

  test('tells clients how to ask through their homeserver, after what it tells everybody', () => {
    const [common, own] = document.info.description.split('\n## Through the homeserver\n')
    expect(common).toBe(standalone.info.description)
    expect(own).toContain('`M_INVALID_PARAM`')
  })

  test('requires the token of the homeserver', () => {
    const { homeserverToken } = document.components.securitySchemes ?? {}
    expect(homeserverToken).toMatchObject({ type: 'http', scheme: 'bearer' })
    for (const path of [CLIENT, LEAVE, FEDERATION, PING]) {
      expect(operation(path).security).toEqual([{ homeserverToken: [] }])
    }
    expect(document.paths['/get_token']?.post?.security).toBeUndefined()
  })

  test.each([
    [CLIENT, 'X-Matrix-User-Identifier'],
    [LEAVE, 'X-Matrix-User-Identifier'],
    [FEDERATION, 'X-Matrix-Origin'],
  ])('requires for %s the header %s', (path, name) => {
    const headers = operation(path).parameters ?? []
    expect(headers).toMatchObject([{ in: 'header', name, required: true }])
  })

  test.each([
    [CLIENT, '200 400 401 403 405 413 429 500 502 503'],
    [FEDERATION, '200 400 401 403 405 413 429 500 502 503'],
    [LEAVE, '200 400 401 403 405 413 429 502 503'],
    [PING, '200 401 405'],
  ])('gives the answers of %s as JSON alone', (path, statuses) => {
    const { responses } = operation(path)
    expect(Object.keys(responses).join(' ')).toBe(statuses)
    for (const { content } of Object.values(responses)) {
      expect(Object.keys(content)).toEqual(['application/json'])
    }
  })

  test.each([
    [CLIENT, ['url', 'room_id', 'slot_id'], ['member_id', 'member', 'server_name']],
    [FEDERATION, ['user_id', 'url', 'room_id', 'slot_id'], ['member_id', 'member']],
    [LEAVE, ['url', 'room_id', 'slot_id', 'delay_id'], ['member_id', 'member']],
  ])('describes the body of %s', (path, required, optional) => {
    const { required: found, properties = {} } = bodyOf(path)
    expect(found).toEqual(required)
    expect(Object.keys(properties).toSorted()).toEqual([...required, ...optional].toSorted())
    expect(Object.keys(operation(path).requestBody?.content ?? {})).toEqual(['application/json'])
  })

  test('names the models of the mode, and refers to the errors of the others', () => {
    const common = Object.keys(standalone.components.schemas)
    expect(Object.keys(document.components.schemas).toSorted()).toEqual(
      [
        ...common,
        'FederatedTokenBody',
        'JwtAnswer',
        'MemberLeaveBody',
        'MemberTokenBody',
      ].toSorted(),
    )
    const { '403': forbidden, '200': good } = operation(CLIENT).responses
    expect(forbidden?.content['application/json']).toMatchObject({
      schema: { $ref: '#/components/schemas/MatrixError' },
      example: { errcode: 'M_FORBIDDEN' },
    })
    expect(good?.content['application/json']).toMatchObject({
      schema: { $ref: '#/components/schemas/JwtAnswer' },
    })
  })

  test('has examples that only the wrong SFU keeps from success', async () => {
    stage.api.join(MATRIX_ROOM, ALICE, BOB)
    for (const path of [CLIENT, LEAVE]) {
      const [example = {}, ...more] = bodyOf(path).examples ?? []
      expect(more).toEqual([])
      const headers = headersOf({
        path,
        cors: true,
        body: {},
        header: 'X-Matrix-User-Identifier',
        caller: ALICE,
      })
      const response = await post(stage.app, path, example, headers)
      expect(await response.json()).toMatchObject({ errcode: 'M_INVALID_PARAM' })
    }
  })

  test('holds no secret and nothing that only the framework needs', () => {
    for (const secret of [AS_TOKEN, HS_TOKEN, '"error":"refused"'])
      expect(text).not.toContain(secret)
  })
})

test('without the mode the document knows nothing of it', () => {
  const all = JSON.stringify(standalone)
  for (const trace of [
    '/rtc/',
    'Through the homeserver',
    'Application service',
    'homeserverToken',
    'FederatedTokenBody',
  ]) {
    expect(all).not.toContain(trace)
  }
})
