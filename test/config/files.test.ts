import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noteLine } from '../../src/config/reader.ts'
import { ALL_SETTINGS } from '../../src/config/settings.ts'
import { loadConfig } from '../../src/config.ts'
import { required } from './loading.ts'

const user = `user ${process.getuid?.()}, who runs the service,`

const fromFiles = ALL_SETTINGS.filter(({ fromFile }) => fromFile).flatMap(({ name, aliases }) => {
  return [name, ...aliases].map((each) => `${each}_FROM_FILE`)
})
/** Every variable that names a file which is read at the start. */
const variables = [...fromFiles, 'LIVEKIT_KEY_FILE', 'LIVEKIT_AS_REGISTRATION_FILE']

/** What is said of a variable that names `path`, of the real files of this machine. */
function notesOf(variable: string, path: string): string[] {
  const env = {
    ...required,
    LIVEKIT_KEY: '',
    LIVEKIT_SECRET: '',
    LIVEKIT_REDIS_URL: 'redis://redis',
    [variable]: path,
  }
  const { problems, warnings } = loadConfig(env, (name) => readFileSync(name, 'utf8'))
  return [...problems, ...warnings]
    .map(noteLine)
    .filter((line) => line.startsWith(`${variable}: names`))
}

test.each(variables)('%s says who can read no file there, and what to do', (variable) => {
  expect(notesOf(variable, '/nowhere/file')).toEqual([
    `${variable}: names a file that does not exist (ENOENT); expected a file that ${user} can read: ` +
      'correct the path; in a container, check that the file is mounted at this path',
  ])
  expect(notesOf(variable, '/etc')).toEqual([
    `${variable}: names a directory (EISDIR); expected a file that ${user} can read: name the file ` +
      'in it; container engines make a directory where the file to be mounted is missing',
  ])
  expect(notesOf(variable, '/etc/passwd/file')).toEqual([
    `${variable}: names a path that leads through a file (ENOTDIR); expected a file that ${user} can ` +
      'read: correct the path; in a container, check that the file is mounted at this path',
  ])
})

test('a file of trusted roots is looked for in the same way', () => {
  expect(notesOf('NODE_EXTRA_CA_CERTS', '/etc')).toEqual([
    `NODE_EXTRA_CA_CERTS: names a directory (EISDIR), and is ignored; expected a file that ${user} ` +
      'can read: name the file in it; container engines make a directory where the file to be ' +
      'mounted is missing',
  ])
})

test.each(['EACCES', 'EPERM'])('a file with the wrong owner or mode is told by %s', (code) => {
  const env = { ...required, LIVEKIT_SECRET: '', LIVEKIT_SECRET_FROM_FILE: '/secret' }
  const { problems } = loadConfig(env, () => {
    throw Object.assign(new Error('not permitted'), { code })
  })
  expect(problems.map(noteLine)).toEqual([
    `LIVEKIT_SECRET_FROM_FILE: names a file that may not be read (${code}); expected a file that ` +
      `${user} can read: change its owner or mode, or those of the directories that it is in`,
  ])
})

test('a file that is read gives its value', () => {
  const directory = mkdtempSync(join(tmpdir(), 'settings-'))
  const path = join(directory, 'secret')
  writeFileSync(path, '  a-secret-in-a-file-of-32-characters\n')
  const env = { ...required, LIVEKIT_SECRET: '', LIVEKIT_SECRET_FROM_FILE: path }
  const { config } = loadConfig(env, (name) => readFileSync(name, 'utf8'))
  rmSync(directory, { recursive: true })
  expect(config?.credentials.apiSecret).toBe('a-secret-in-a-file-of-32-characters')
})
