import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXAMPLES } from '../../src/commands/example.ts'
import { type ProcessOptions, runToEnd, startProcess } from '../support/child-process.ts'
import { untilAnswering } from '../support/readiness.ts'

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

function optionsOf({ command, folder }: Command): ProcessOptions {
  // Whatever a program keeps stays in the folder.
  const env = { PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return { command, cwd: folder, env }
}

/** Runs a program to its end. */
export async function runTool(command: Command): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await runToEnd(optionsOf(command))
  return { code, output: `${stdout}${stderr}` }
}

/** Starts a server, and waits until it answers at `url`; it is killed when disposed of. */
export async function startTool(command: Command, url: string): Promise<AsyncDisposable> {
  const child = startProcess(optionsOf(command))
  await untilAnswering(child, url, 15_000)
  return { [Symbol.asyncDispose]: child.kill }
}
