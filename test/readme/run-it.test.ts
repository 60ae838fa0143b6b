import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import type { LiveKitCredentials } from '../../src/livekit/access-token.ts'
import { composeVariables } from '../examples/environments.ts'
import { BLOCKS, NEW_SECRET, README, ROOT } from './document.ts'
import { createMachine, type Machine } from './machine.ts'

const [, SET_UP, DOCTOR] = BLOCKS.filter(({ language }) => language === 'sh')
const DOCKERFILE = await Bun.file(join(ROOT, 'Dockerfile')).text()

let machine: Machine

beforeAll(async () => {
  machine = await createMachine()
  await machine.run(SET_UP?.text ?? '')
})
afterAll(() => machine?.[Symbol.asyncDispose]())

/** What the service would sign with, in the containers that the files of the machine make. */
function credentials(): LiveKitCredentials {
  const { config, problems, warnings } = loadConfig(composeVariables(), (path) => {
    return readFileSync(path.replace('/run/secrets', machine.folder), 'utf8')
  })
  expect([...problems, ...warnings]).toEqual([])
  return config?.credentials ?? expect.unreachable()
}

/** The key that LiveKit signs webhooks with. */
async function webhookKey(): Promise<string> {
  const text = await machine.read('livekit.yaml')
  return (Bun.YAML.parse(text) as { webhook: { api_key: string } }).webhook.api_key
}

async function linesForLiveKit(): Promise<string[]> {
  return (await machine.read('livekit_keys')).trimEnd().split('\n')
}

function lineOf({ apiKey, apiSecret }: LiveKitCredentials): string {
  return `${apiKey}: ${apiSecret}`
}

test('the commands make the files that the example for compose mounts', async () => {
  const mounted = (await machine.read('compose.yaml')).match(/(?<=\.\/)[\w.]+/g) ?? []
  expect(await machine.files()).toEqual([...new Set(['compose.yaml', ...mounted])].toSorted())
})

test('they leave no name in the files that is to be replaced', async () => {
  for (const name of ['compose.yaml', 'Caddyfile', 'livekit.yaml']) {
    expect(await machine.read(name)).not.toContain('example.com')
  }
  expect(await machine.read('compose.yaml')).toContain(' your.server.name\n')
})

test('the user of the image may read the key file of the service, and others neither', async () => {
  const [, group] = /^USER \d+:(\d+)$/m.exec(DOCKERFILE) ?? []
  expect(await machine.groups()).toBe(`${group} service_key\n`)
  expect(README.match(/(?<=\b(?:chgrp|group) )\d+/g)).toEqual([`${group}`, `${group}`])
  for (const name of ['livekit_keys', 'service_key']) {
    expect(statSync(join(machine.folder, name)).mode & 0o777).toBe(0o640)
  }
})

test('the doctor is the program of the image, in the container of the service', async () => {
  const { services } = Bun.YAML.parse(await machine.read('compose.yaml')) as {
    services: Record<string, { image: string }>
  }
  const [name] = Object.keys(services).filter((each) => services[each]?.image === 'jwt-service-ts')
  const [, program] = /^ENTRYPOINT \["([^"]*)"\]$/m.exec(DOCKERFILE) ?? []
  expect(DOCTOR?.text).toStartWith(`docker compose exec ${name} ${program} doctor `)
})

test('LiveKit and the service have the same key, and a new one when it is replaced', async () => {
  const old = credentials()
  expect(await linesForLiveKit()).toEqual([lineOf(old)])
  expect(await webhookKey()).toBe(old.apiKey)

  expect(NEW_SECRET.commands.length).toBe(2)
  await machine.run(NEW_SECRET.commands.join('\n'))
  const replaced = credentials()
  expect(replaced.apiKey).not.toBe(old.apiKey)
  expect(replaced.apiSecret).not.toBe(old.apiSecret)
  expect(await linesForLiveKit()).toEqual([lineOf(old), lineOf(replaced)])
  expect(NEW_SECRET.text).toContain(`Set \`webhook.api_key\` to \`${replaced.apiKey}\``)
})
