import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXAMPLES } from '../../src/commands/example.ts'
import { until } from '../support/until.ts'

/** Users other than root may lack the folders of servers. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`

/** The text of an example. */
export function exampleText(name: string): string {
  const { text } = EXAMPLES[name] ?? {}
  if (text === undefined) throw new Error(`there is no example "${name}"`)
  return text
}

/**
 * Replaces parts of a text.
 *
 * @throws {Error} when one is not in it: what is tested would not be the example then
 */
export function adapted(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((result, [part, replacement]) => {
    if (!result.includes(part)) throw new Error(`"${part}" is not in the example`)
    return result.replaceAll(part, replacement)
  }, text)
}

/** A folder with some files, which is removed when disposed of. */
export interface Folder extends AsyncDisposable {
  readonly path: string
}

/** Makes a folder, such as `createFolder({ 'nginx.conf': text })`. */
export async function createFolder(files: Readonly<Record<string, string>>): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'test-examples-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A program, and the folder that it runs in. */
export interface Command {
  readonly command: readonly string[]
  readonly folder: string
}

function spawn({ command, folder }: Command) {
  // Whatever a program keeps stays in the folder.
  const env = { PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return Bun.spawn([...command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs a program to its end. */
export async function runTool(command: Command): Promise<{ code: number; output: string }> {
  const child = spawn(command)
  const texts = [child.stdout.text(), child.stderr.text()]
  const [code, ...outputs] = await Promise.all([child.exited, ...texts])
  return { code, output: outputs.join('') }
}

/** Starts a server, and waits until it answers at `url`; it is killed when disposed of. */
export async function startTool(command: Command, url: string): Promise<AsyncDisposable> {
  const child = spawn(command)
  const output = Promise.all([child.stdout.text(), child.stderr.text()])
  async function stop(): Promise<void> {
    child.kill('SIGKILL')
    await child.exited
  }
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error((await output).join(''))
      return fetch(url, { tls: { rejectUnauthorized: false } }).then(
        ({ ok }) => ok,
        () => false,
      )
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { [Symbol.asyncDispose]: stop }
}
