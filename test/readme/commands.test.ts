import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { engines, scripts } from '../../package.json'
import { readDoctorArguments } from '../../src/commands/doctor/arguments.ts'
import { helpText } from '../../src/config/guide.ts'
import { run } from '../process/commands.ts'
import { BLOCKS, README, ROOT, SPANS, UNWRAPPED } from './document.ts'

/** What follows a command in the README, each once. */
function wordsAfter(command: RegExp): string[] {
  return [...new Set([...README.matchAll(command)].map(([, words = '']) => words))]
}

/** The commands of the service, without its name. */
const COMMANDS = wordsAfter(/(?:`|\/|--rm )jwt-service(?:-ts)? ([^`\n>]*[^`\n> ])/g)

/** Whether a command is the doctor's, and would ask servers. */
function isAsking(command: string): boolean {
  return /^doctor (?!--help$)/.test(command)
}

/** The codes that a command ends with, in the order in which its file has them. */
async function exitCodes(path: string): Promise<readonly string[]> {
  const text = await Bun.file(join(ROOT, path)).text()
  return [...text.matchAll(/^const EXIT_\w+ = (\d+)$/gm)].map(([, code = '']) => code)
}

test('every command of the service ends well', async () => {
  const commands = COMMANDS.filter((command) => !isAsking(command))
  expect(commands.length).toBeGreaterThan(10)
  const endings = await Promise.all(commands.map((command) => run(command.split(' '))))
  expect(commands.filter((_, index) => endings[index]?.code !== 0)).toEqual([])
})

test('the doctor takes its arguments', () => {
  const commands = COMMANDS.filter(isAsking)
  expect(commands.length).toBe(1)
  for (const command of commands) {
    expect(readDoctorArguments(command.split(' ').slice(1))).toBeObject()
  }
})

test('every option is in the help', () => {
  const options = SPANS.filter((text) => text.startsWith('-'))
  expect(options.length).toBeGreaterThan(2)
  const known: readonly string[] = helpText('').match(/(?<=[ [(])--?\w[\w-]*/g) ?? []
  expect(options.filter((option) => !known.includes(option))).toEqual([])
})

test('every exit code is the one in the code', async () => {
  const service = await exitCodes('src/commands/serve.ts')
  const doctor = await exitCodes('src/commands/doctor/doctor.ts')
  const sentences = UNWRAPPED.match(/\bexits [^.]*\./g) ?? []
  const [, failure = '', badConfig = ''] = service
  expect(sentences.map((sentence) => sentence.match(/(?<=\bwith )\d+/g)?.join())).toEqual([
    service.join(),
    doctor.join(),
    badConfig,
    failure,
  ])
})

test('the two commands are those of Bun and of CI', async () => {
  const commands = ['demo', 'test'].map((script) => `npx --yes bun@${engines.bun} run ${script}\n`)
  expect(BLOCKS[1]?.text).toBe(commands.join(''))
  expect(await Bun.file(join(ROOT, '.ci/run')).text()).toContain(`step ${commands[1]}`)
})

test('Bun is the one that the project needs', () => {
  const versions = README.match(/(?<=\bbun[@ ])\d[\d.]*\d/gi) ?? []
  expect(versions.length).toBeGreaterThan(4)
  expect(versions.filter((version) => version !== engines.bun)).toEqual([])
})

test('every script is one, and is given the options that CI gives it', async () => {
  const lines = wordsAfter(/(?:`|\bbun@[\d.]+ )(?:bun )?run ([\w:]+[^`\n]*)/g)
  expect(lines.length).toBeGreaterThan(12)
  expect(lines.filter((line) => !((line.split(' ')[0] ?? '') in scripts))).toEqual([])
  const ci = await Bun.file(join(ROOT, '.ci/run')).text()
  const withOptions = lines.filter((line) => line.includes(' '))
  expect(withOptions.filter((line) => !ci.includes(`\nstep bun run ${line}\n`))).toEqual([])
})
