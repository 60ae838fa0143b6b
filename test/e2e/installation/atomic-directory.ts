import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Fills a directory under a temporary name and renames it once it is complete, so that whatever
 * has the final name is whole, even after an interrupted or a concurrent run.
 *
 * @returns `false` when the directory was there already and nothing was done.
 */
export async function createAtomically(
  directory: string,
  fill: (temporary: string) => Promise<void>,
): Promise<boolean> {
  if (existsSync(directory)) return false
  await mkdir(dirname(directory), { recursive: true })
  const temporary = await mkdtemp(`${directory}.partial-`)
  try {
    await fill(temporary)
    await renameUnlessPresent(temporary, directory)
    return true
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function renameUnlessPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}
