import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { run } from './commands.ts'

const FOLDER = join(import.meta.dir, '../../src/commands/examples')

test.each([
  ['compose', 'compose.yaml'],
  ['livekit', 'livekit.yaml'],
  ['caddy', 'caddy.conf'],
  ['nginx', 'nginx.conf'],
  ['kubernetes', 'kubernetes.yaml'],
  ['systemd', 'jwt-service.service'],
  ['synapse', 'synapse.yaml'],
  ['well-known', 'well-known.json'],
])('example %s prints the file %s, without any setting', async (name, file) => {
  const stdout = await Bun.file(join(FOLDER, file)).text()
  expect(await run(['example', name])).toEqual({ code: 0, stdout, stderr: '' })
})

test('example alone lists the names', async () => {
  const { code, stdout, stderr } = await run(['example'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const names = [...stdout.matchAll(/^ {2}(\S+) {2,}\S/gm)].map(([, name]) => name)
  expect(names).toEqual([
    'compose',
    'livekit',
    'caddy',
    'nginx',
    'kubernetes',
    'systemd',
    'synapse',
    'well-known',
  ])
})

test.each([
  [['apache'], '"apache"'],
  [['compose', 'nginx'], '"compose nginx"'],
  [['toString'], '"toString"'],
])('example refuses %j', async (args, found) => {
  expect(await run(['example', ...args])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'expected one name of compose, livekit, caddy, nginx, kubernetes, systemd, synapse, ' +
      `well-known; found ${found}\n`,
  })
})

test('the help names it', async () => {
  const { stdout } = await run(['--help'])
  expect(stdout).toMatch(/^ {2}example \[NAME\]\s/m)
})
