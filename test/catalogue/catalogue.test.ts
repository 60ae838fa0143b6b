import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { CATALOGUE, isCauseCode, remedyFor } from '../../src/catalogue/catalogue.ts'
import type { Entry } from '../../src/catalogue/entry.ts'
import { helpText } from '../../src/config/guide.ts'
import { ALL_SETTINGS } from '../../src/config/settings.ts'
import { VERIFICATIONS } from '../../src/metric-labels.ts'

const SRC = join(import.meta.dir, '../../src')
const CODES = Object.keys(CATALOGUE)
const ENTRIES: readonly (readonly [code: string, Entry])[] = Object.entries(CATALOGUE)
const REMEDIES = ENTRIES.map(([, { remedy }]) => remedy).filter((remedy) => remedy !== undefined)
const AREAS = [...new Set(CODES.map((code) => areaOf(code)))]

/** What all code outside the catalogue says when types and comments are gone: a type raises nothing. */
const PROGRAM = await programOutside('catalogue/')

async function programOutside(folder: string): Promise<string> {
  const transpiler = new Bun.Transpiler({ loader: 'ts' })
  const paths = [...new Bun.Glob('**/*.ts').scanSync(SRC)].filter(
    (path) => !path.startsWith(folder),
  )
  const texts = paths.map((path) => Bun.file(join(SRC, path)).text())
  return (await Promise.all(texts)).map((text) => transpiler.transformSync(text)).join('\n')
}

function areaOf(code: string): string {
  return code.slice(0, code.indexOf('.'))
}

function isSaid(text: string): boolean {
  return PROGRAM.includes(`"${text}"`)
}

/** Whether the program gives a text as a problem, and not as something else of the same name. */
function isProblem(text: string): boolean {
  const before = String.raw`(?:\bproblem(?:: | = [^;]*)|\bRequestError\(|\bsuper\(|[:=] \[|return \[|\binstanceof \w+ \? )`
  return new RegExp(`${before}"${text}"`).test(PROGRAM)
}

/** Whether a code is put together from its area and a problem that is found further down. */
function isPutTogether(code: string): boolean {
  const area = areaOf(code)
  const isFamily =
    PROGRAM.includes(`\`${area}.\${problem}\``) || PROGRAM.includes(`exchangeTrouble("${area}", `)
  return isFamily && isProblem(code.slice(area.length + 1))
}

describe('the catalogue', () => {
  test('has an entry for every code that the program raises', () => {
    const literal = new RegExp(`"((?:${AREAS.join('|')})\\.[a-z-]+)"(?=[,;)\\]\n]| [:}])`, 'g')
    const raised = [...PROGRAM.matchAll(literal)].map(([, code = '']) => code)
    expect(raised.length).toBeGreaterThan(50)
    expect(raised.filter((code) => !isCauseCode(code))).toEqual([])
  })

  test('has no entry that the program never raises', () => {
    expect(CODES.filter((code) => !isSaid(code) && !isPutTogether(code))).toEqual([])
  })

  test('knows the codes that are counted from the start', () => {
    const codes = VERIFICATIONS.map(({ code }) => code).filter((code) => code !== '')
    expect(codes.length).toBeGreaterThan(20)
    expect(codes.filter((code) => !isCauseCode(code))).toEqual([])
  })
})

test.each(ENTRIES)('%s is told in short sentences', (code, { sentence, remedy = 'Nothing.' }) => {
  expect(code).toMatch(/^[a-z-]+\.[a-z0-9-]+$/)
  expect(sentence).toMatch(/^[A-Z/"].*[^.]\.$/)
  expect(sentence.length).toBeLessThan(160)
  expect(remedy).toMatch(/^[A-Z/"].*[^.]\.$/)
  expect(remedy.length).toBeLessThan(300)
})

describe('a remedy', () => {
  test('names no other variable than those that the service reads', () => {
    const known = [...ALL_SETTINGS.map(({ name }) => name), 'NODE_EXTRA_CA_CERTS']
    const named = REMEDIES.flatMap(
      (remedy) => remedy.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+/g) ?? [],
    )
    expect(new Set(named).size).toBeGreaterThan(10)
    expect(named.filter((name) => !known.includes(name))).toEqual([])
  })

  test('names no other command than those of the service', () => {
    const named = REMEDIES.flatMap((remedy) => [...remedy.matchAll(/jwt-service (\w+)/g)])
    const help = helpText('')
    expect([...new Set(named.map(([, command]) => command))]).toEqual(['registration'])
    for (const [, command] of named) expect(help).toContain(`\n  ${command} `)
  })

  test('names no other path than those of the service, of LiveKit, Matrix and the system', () => {
    const named = REMEDIES.flatMap((remedy) => remedy.match(/(?<![\w/*])\/[\w./-]*\w/g) ?? [])
    const others = ['/twirp', '/rtc', '/_matrix', '/etc/resolv.conf']
    const wellKnown = ['/.well-known/matrix/server', '/.well-known/matrix/client']
    const known = ['/sfu_webhook', ...others, ...wellKnown]
    expect([...new Set(named)].toSorted()).toEqual(known.toSorted())
    for (const path of ['/sfu_webhook', ...wellKnown]) expect(isSaid(path)).toBe(true)
  })

  test('names the subject of the trouble', () => {
    const denied = { code: 'federation.denied-address', found: '', subject: '10.0.0.1,10.0.0.2' }
    expect(remedyFor(denied)).toStartWith(
      'LIVEKIT_FEDERATION_ALLOW_NETWORKS=10.0.0.1,10.0.0.2 would allow it',
    )
    expect(remedyFor({ code: 'listen.failed', found: '', subject: 'LIVEKIT_JWT_BIND' })).toBe(
      'Check the address: LIVEKIT_JWT_BIND.',
    )
  })

  test.each(['relay.refused', 'unheard-of', 'toString'])('is none for %s', (code) => {
    expect(remedyFor({ code, found: 'it' })).toBeUndefined()
  })
})
