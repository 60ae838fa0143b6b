import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CATALOGUE, isCauseCode } from '../../src/catalogue/catalogue.ts'
import { EXAMPLES } from '../../src/commands/example.ts'
import { ALL_SETTINGS } from '../../src/config/settings.ts'
import { startTestApp } from '../support/app.ts'
import { BLOCKS, README, ROOT, rowsUnder, SPANS, UNWRAPPED } from './document.ts'

/** Paths that are neither ours nor in an example. */
const OF_THE_SYSTEM = ['/proc']

/** Whether a text has a path as a whole, or as its beginning. */
function isIn(text: string, path: string): boolean {
  return text
    .split(path)
    .slice(1)
    .some((rest) => !/^\w/.test(rest))
}

test('every variable is a setting, or one that people mistake for a setting', () => {
  const known = ALL_SETTINGS.flatMap(({ name, aliases, fromFile, mistakenNames }) => {
    const names = [name, ...aliases]
    const files = fromFile ? names.map((each) => `${each}_FROM_FILE`) : []
    return [...names, ...files, ...mistakenNames]
  })
  const named = README.match(/\bLIVEKIT_[A-Z_]*[A-Z]\b/g) ?? []
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((name) => !known.includes(name))).toEqual([])
})

test('the ten settings have the defaults that they have', () => {
  const rows = rowsUnder('variable', 'default', 'meaning').map(([name, byDefault]) => [
    name,
    byDefault,
  ])
  expect(rows.length).toBe(10)
  const settings = rows.map(([name]) => ALL_SETTINGS.find((setting) => setting.name === name))
  expect(rows).toEqual(settings.map((setting) => [setting?.name, setting?.defaultText]))
})

test('every example is shown as it is printed', () => {
  const shown = BLOCKS.filter(({ language }) => ['yaml', 'caddyfile', 'json'].includes(language))
  const names = ['compose', 'caddy', 'well-known', 'livekit']
  expect(shown.map(({ text }) => text)).toEqual(names.map((name) => EXAMPLES[name]?.text ?? ''))
})

test('the ports to open are those that the example for compose publishes', () => {
  const published = [...(EXAMPLES.compose?.text ?? '').matchAll(/"([\d-]+):\1(?:\/udp)?"/g)]
  const [, ports = ''] = /with ports ([\d ,and-]+) \(UDP\)/.exec(UNWRAPPED) ?? []
  expect(ports.match(/[\d-]+/g)?.toSorted()).toEqual(
    [...new Set(published.map(([, port = '']) => port))].toSorted(),
  )
})

test('every path is one of ours, or in an example', async () => {
  await using app = await startTestApp()
  const examples = Object.values(EXAMPLES)
    .map(({ text }) => text)
    .join()
  async function isKnown(path: string): Promise<boolean> {
    if (OF_THE_SYSTEM.includes(path) || isIn(examples, path)) return true
    const answers = [
      await fetch(app.url + path),
      await app.app.operation(new Request(`http://a${path}`)),
    ]
    return answers.some(({ status }) => status !== 404)
  }
  const paths = SPANS.map((text) => text.replace(/^https:\/\/example\.com(?=\/)/, '')).filter(
    (text) => text.startsWith('/'),
  )
  expect(paths.length).toBeGreaterThan(5)
  const unknown = await Promise.all(
    paths.map(async (path) => ((await isKnown(path)) ? [] : [path])),
  )
  expect(unknown.flat()).toEqual([])
})

test('every file of the repository is there', () => {
  const files = SPANS.filter((text) => /^(?:src|test|\.ci)\//.test(text))
  expect(files.length).toBeGreaterThan(3)
  expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('every code means what the catalogue says', () => {
  const rows = rowsUnder('`code`', 'meaning')
  expect(rows.length).toBe(5)
  expect(rows).toEqual(rows.map(([code = '']) => [code, sentenceOf(code)]))
})

function sentenceOf(code: string): string {
  return isCauseCode(code) ? CATALOGUE[code].sentence : 'not in the catalogue'
}

test('the Debian packages are those that are installed', async () => {
  const setup = await Bun.file(join(ROOT, 'test/setup.ts')).text()
  const [, programs = ''] = /const PROGRAMS = \{([^}]*)\}/.exec(setup) ?? []
  const packages = [...programs.matchAll(/: '([\w-]+)'/g)].map(([, name = '']) => name)
  const [, sentence = ''] = /need the Debian packages ([^.]*)\./.exec(README) ?? []
  const named = [...sentence.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name)
  expect(named).toEqual(packages.toSorted())
})
