import { afterAll, beforeAll, expect, test } from 'bun:test'
import { CREDENTIALS } from '../support/credentials.ts'
import { HS_TOKEN } from '../support/member-stage.ts'
import { signWebhook } from '../support/sfu-webhook.ts'
import { until } from '../support/until.ts'
import { type Stage, setStage } from './stage.ts'

/** The names that the API page gives for its examples. */
const ROOM = 'F4oOprKFBq6JHqy2qYpq6UQQmR7hCvxkQQoUrd0+SbI'
const IDENTITY = 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU'

interface Schema {
  readonly $ref?: string
  readonly examples?: readonly unknown[]
}

interface MediaType {
  readonly schema: Schema
  readonly example?: unknown
}

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly example?: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> }
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly responses: Readonly<Record<string, unknown>>
}

interface OpenApiDocument {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** One request as the document has it. */
interface Example {
  readonly operation: Operation
  readonly method: string
  readonly path: string
  readonly contentType: string | undefined
  /** Missing where the operation has no body. */
  readonly body: string | undefined
}

let stage: Stage
let document: OpenApiDocument

beforeAll(async () => {
  stage = await setStage({})
  const response = await fetch(`${stage.service.url}/swagger/json`)
  document = (await response.json()) as OpenApiDocument
})
afterAll(() => stage.close())

function valuesOf({ schema, example }: MediaType): readonly unknown[] {
  if (example !== undefined) return [example]
  const name = schema.$ref?.replace('#/components/schemas/', '') ?? ''
  return (document.components.schemas[name] ?? schema).examples ?? []
}

function examplesOf(path: string, method: string, operation: Operation): Example[] {
  const request = { operation, method: method.toUpperCase(), path }
  const [media] = Object.entries(operation.requestBody?.content ?? {})
  if (media === undefined) return [{ ...request, contentType: undefined, body: undefined }]
  const [contentType, mediaType] = media
  return valuesOf(mediaType).map((value) => {
    return { ...request, contentType, body: JSON.stringify(value) }
  })
}

async function authorization({ operation, body = '' }: Example): Promise<string | undefined> {
  const schemes = Object.keys(Object.assign({}, ...(operation.security ?? [])))
  if (schemes.includes('homeserverToken')) return `Bearer ${HS_TOKEN}`
  if (schemes.includes('webhookToken')) return signWebhook(body, CREDENTIALS)
  return undefined
}

/** Sends an example with the headers that the document says. */
async function run(example: Example): Promise<Response> {
  const { operation, method, path, contentType, body } = example
  const headers = new Headers()
  if (contentType !== undefined) headers.set('content-type', contentType)
  const token = await authorization(example)
  if (token !== undefined) headers.set('authorization', token)
  for (const { name, example: value = '' } of operation.parameters ?? []) headers.set(name, value)
  return fetch(stage.service.url + path, { method, headers, body: body ?? null })
}

test('every example of the document is answered as documented', async () => {
  const examples = Object.entries(document.paths).flatMap(([path, operations]) => {
    return Object.entries(operations).flatMap(([method, operation]) => {
      return examplesOf(path, method, operation)
    })
  })
  const outcomes = await Promise.all(
    examples.map(async (example) => {
      const { operationId, responses } = example.operation
      const { status } = await run(example)
      return { operationId, status, documented: Object.keys(responses)[0] }
    }),
  )
  expect(outcomes.filter(({ status, documented }) => String(status) !== documented)).toEqual([])
  expect(outcomes.map(({ operationId }) => operationId).toSorted()).toEqual([
    'delegateDelayedLeave',
    'delegateMemberLeave',
    'getFederatedToken',
    'getHealthz',
    'getMemberToken',
    'getToken',
    'headHealthz',
    'ping',
    'sfuGet',
    'sfuGet',
    'sfuWebhook',
  ])
})

test('the delayed event of the examples is restarted while its participant is on the SFU', async () => {
  const { requestBody } = document.paths['/delegate_delayed_leave']?.post ?? {}
  const [example] = valuesOf(requestBody?.content['application/json'] ?? { schema: {} })
  stage.sfu.addParticipant(ROOM, IDENTITY)
  const response = await fetch(`${stage.service.url}/delegate_delayed_leave`, {
    method: 'POST',
    body: JSON.stringify(example),
  })
  expect(response.status).toBe(200)
  const restart = { action: 'restart', delayId: 'syd_aaaaaaaaaaaaaaaaaaaa', authorization: null }
  await until(() => stage.homeserver.delayedEventCalls.length > 0)
  expect(stage.homeserver.delayedEventCalls).toMatchObject([restart])
})
