import { describe, expect, test } from 'bun:test'
import { dirname, join, normalize } from 'node:path'
import { Glob } from 'bun'
import { drawing, HOUSE, placeOf, wrongImport } from './house.ts'

const ROOT = join(import.meta.dir, '../..')

const FILES = [...new Glob('**/*.ts').scanSync(join(ROOT, 'src'))].sort()

/** Types count too; packages and files outside of `src` do not. */
async function importsOf(path: string): Promise<string[]> {
  const source = await Bun.file(join(ROOT, 'src', path)).text()
  const specifiers = source.matchAll(/(?:\bfrom|\bimport\(|^import)\s*'(\.{1,2}\/[^']+)'/gm)
  return [...specifiers]
    .map(([, specifier = '']) => normalize(join(dirname(path), specifier)))
    .filter((imported) => !imported.startsWith('../'))
}

test('every import points down the house', async () => {
  const imports = await Promise.all(
    FILES.map(async (importer) =>
      (await importsOf(importer)).map((imported) => ({ importer, imported })),
    ),
  )
  const all = imports.flat()
  expect(all.length).toBeGreaterThan(FILES.length)
  expect(all.flatMap(({ importer, imported }) => wrongImport(importer, imported) ?? [])).toEqual([])
})

test('every file has a room, and every room has files', () => {
  expect(FILES.filter((path) => placeOf(path) === undefined)).toEqual([])
  const inhabited = new Set(FILES.map((path) => placeOf(path)?.room))
  expect(HOUSE.flat().filter((room) => !inhabited.has(room))).toEqual([])
})

test('the README draws the same house', async () => {
  expect(await Bun.file(join(ROOT, 'README.md')).text()).toContain(`\n${drawing()}\n`)
})

describe('an import', () => {
  test('of a room below is fine, however far below', () => {
    expect(wrongImport('routes/tokens.ts', 'lib/json.ts')).toBeUndefined()
    expect(wrongImport('delegation/work/worker.ts', 'delegation/life/record.ts')).toBeUndefined()
    expect(wrongImport('matrix/openid.ts', 'matrix/server-name.ts')).toBeUndefined()
  })

  test('of a room above is wrong, and what is needed belongs below', () => {
    expect(wrongImport('net/gate.ts', 'matrix/server-name.ts')).toBe(
      'src/net/gate.ts imports src/matrix/server-name.ts, but "matrix" is above "net": ' +
        'what "net" needs of it belongs in "net" or below, or is handed down as a value',
    )
    expect(wrongImport('exchange/authorisation.ts', 'config/settings.ts')).toContain(
      '"config" is above "exchange"',
    )
    expect(wrongImport('delegation/life/record.ts', 'delegation/work/worker.ts')).toContain(
      '"delegation/work" is above "delegation/life"',
    )
  })

  test('of a room beside is wrong, and what both need belongs below', () => {
    expect(wrongImport('matrix/openid.ts', 'livekit/names.ts')).toBe(
      'src/matrix/openid.ts imports src/livekit/names.ts, ' +
        'but "matrix" and "livekit" do not know each other: ' +
        'what both need belongs in "net" or below, what joins them above both',
    )
  })

  test('between the service and its build is wrong', () => {
    expect(wrongImport('commands/serve.ts', 'build/rootfs.ts')).toContain('do not know each other')
    expect(wrongImport('build/rootfs.ts', 'lib/json.ts')).toContain('do not know each other')
  })

  test('of a file without a room says where rooms are made', () => {
    expect(wrongImport('utils/misc.ts', 'lib/json.ts')).toBe(
      'src/utils/misc.ts is in no room: give it one in test/house/house.ts',
    )
  })
})
