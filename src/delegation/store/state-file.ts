import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from '../../lib/error-code.ts'

const { R_OK, W_OK, X_OK } = constants

/** The code of the error of a call; `undefined` if there is none. */
function failureOf(call: () => void): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return errorCode(error, 'no code')
  }
}

function isMissing(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** What this user, as who the process runs, cannot do. */
function lackText(what: string, code: string): string {
  return `user ${process.getuid?.()} cannot ${what} (${code})`
}

function folderObstacle(folder: string): string | undefined {
  const notFound = failureOf(() => statSync(folder))
  if (isMissing(notFound)) return `folder ${folder} does not exist`
  if (notFound !== undefined) return lackText(`get to folder ${folder}`, notFound)
  if (!statSync(folder).isDirectory()) return `${folder} is no folder`
  // Beside the file itself, SQLite makes and deletes others.
  const notWritable = failureOf(() => accessSync(folder, W_OK | X_OK))
  return notWritable && lackText(`write in folder ${folder}`, notWritable)
}

/**
 * Why this user cannot use a file for state, as a text for the operator: which path lacks what.
 *
 * @returns `undefined` if nothing is in the way; the file need not exist
 */
export function stateFileObstacle(path: string): string | undefined {
  const ofFolder = folderObstacle(dirname(path))
  if (ofFolder !== undefined) return ofFolder
  if (isMissing(failureOf(() => statSync(path)))) return undefined
  if (!statSync(path).isFile()) return `${path} is no file`
  const notReadable = failureOf(() => accessSync(path, R_OK))
  if (notReadable !== undefined) return lackText(`read ${path}`, notReadable)
  const notWritable = failureOf(() => accessSync(path, W_OK))
  return notWritable && lackText(`write to ${path}`, notWritable)
}
