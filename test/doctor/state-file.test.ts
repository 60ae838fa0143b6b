import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DoctorStage, setDoctorStage } from './stage.ts'

const SOURCE = join(import.meta.dir, '../../src')
/** Nobody's, for a process of root, which may write everywhere. */
const OTHER_USER = 65_534
const USER = process.getuid?.() === 0 ? OTHER_USER : (process.getuid?.() ?? OTHER_USER)

/** Opens a state file as the service does, then looks at it as the doctor does. */
const ATTEMPT = `
import { checkState } from '${SOURCE}/commands/doctor/state-checks.ts'
import { createReport } from '${SOURCE}/commands/doctor/report.ts'
import { openDatabase } from '${SOURCE}/delegation/store/sqlite-database.ts'
const path = process.env.FILE
let trouble
try { openDatabase(path).close() } catch (error) { trouble = error.trouble }
const report = createReport({ onFinding() {}, onProgress() {} })
await checkState({ state: { kind: 'file', path } }, { report })
console.log(JSON.stringify({ trouble, findings: report.findings }))
`

let stage: DoctorStage
let scripts = ''
let script = ''
let folder = ''

beforeAll(async () => {
  stage = await setDoctorStage()
  scripts = await mkdtemp(join(tmpdir(), 'test-doctor-'))
  const entry = join(scripts, 'attempt.ts')
  await writeFile(entry, ATTEMPT)
  // The other user may not read the sources.
  const { outputs } = await Bun.build({ entrypoints: [entry], target: 'bun' })
  script = join(scripts, 'attempt.js')
  await writeFile(script, (await outputs[0]?.text()) ?? '')
  await chmod(scripts, 0o755)
})
afterAll(async () => {
  await rm(scripts, { recursive: true })
  await stage.close()
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'test-doctor-'))
  await chmod(folder, 0o755)
})
afterEach(async () => {
  await chmod(folder, 0o755)
  await rm(folder, { recursive: true })
})

/** What the service and the doctor say of a file when they run as a user that is not root. */
function attemptAsUser(file: string) {
  const env = { PATH: process.env.PATH, HOME: folder, FILE: file }
  const identity = process.getuid?.() === 0 ? { uid: USER, gid: USER } : {}
  const { stdout } = spawnSync(process.execPath, [script], { env, encoding: 'utf8', ...identity })
  const { trouble, findings } = JSON.parse(stdout)
  return { service: trouble, doctor: { code: findings[0].code, found: findings[0].found } }
}

test('says that the folder of the state file does not exist', async () => {
  const missing = join(folder, 'missing')
  const file = join(missing, 'state.sqlite')
  const { codes, findings } = await stage.examine({ args: [], env: { LIVEKIT_STATE_FILE: file } })
  expect(codes).toEqual(['store.file-unusable'])
  const found = `folder ${missing} does not exist`
  expect(findings.find(({ step }) => step === 'state')?.found).toBe(found)
  const expected = { code: 'store.file-unusable', found }
  expect(attemptAsUser(file)).toEqual({ service: expected, doctor: expected })
})

test('says who cannot write in which folder', async () => {
  await chmod(folder, 0o555)
  const found = `user ${USER} cannot write in folder ${folder} (EACCES)`
  const expected = { code: 'store.file-unusable', found }
  expect(attemptAsUser(join(folder, 'state.sqlite'))).toEqual({
    service: expected,
    doctor: expected,
  })
})

test('says who cannot get to which folder', async () => {
  const inner = join(folder, 'inner')
  await mkdir(inner)
  await chmod(folder, 0o600)
  const found = `user ${USER} cannot get to folder ${inner} (EACCES)`
  const expected = { code: 'store.file-unusable', found }
  expect(attemptAsUser(join(inner, 'state.sqlite'))).toEqual({
    service: expected,
    doctor: expected,
  })
})

test.each([
  ['read', 0o000],
  ['write to', 0o444],
])('says who cannot %s which file', async (right, mode) => {
  const file = join(folder, 'state.sqlite')
  await writeFile(file, '')
  await chmod(file, mode)
  await chmod(folder, 0o777)
  const found = `user ${USER} cannot ${right} ${file} (EACCES)`
  const expected = { code: 'store.file-unusable', found }
  expect(attemptAsUser(file)).toEqual({ service: expected, doctor: expected })
})
