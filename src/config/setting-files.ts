import { errorCode } from '../lib/error-code.ts'

/** Why a file that a variable names cannot be used. */
export interface FileMistake {
  /** After the name of the variable. */
  readonly wrong: string
  /** What should be there, and what to look at. */
  readonly expected: string
}

const WRONG: Readonly<Record<string, string>> = {
  ENOENT: 'names a file that does not exist',
  ENOTDIR: 'names a path that leads through a file',
  EISDIR: 'names a directory',
  EACCES: 'names a file that may not be read',
  EPERM: 'names a file that may not be read',
}

const MOUNT = 'in a container, check that the file is mounted at this path'
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: `correct the path; ${MOUNT}`,
  ENOTDIR: `correct the path; ${MOUNT}`,
  EISDIR:
    'name the file in it; container engines make a directory where the file to be mounted is missing',
  EACCES: 'change its owner or mode, or those of the directories that it is in',
  EPERM: 'change its owner or mode, or those of the directories that it is in',
}

/** Who has to be able to read the files: root in one container is not root in the next. */
function serviceUser(): string {
  const user = process.getuid?.()
  return user === undefined ? 'the user of the service' : `user ${user}, who runs the service,`
}

/** Says why a file could not be read, by whom, and what to do. */
export function fileMistake(error: unknown): FileMistake {
  const code = errorCode(error)
  const advice = ADVICE[code] ?? 'see that it can be read'
  return {
    wrong: `${WRONG[code] ?? 'names a file that cannot be read'} (${code})`,
    expected: `expected a file that ${serviceUser()} can read: ${advice}`,
  }
}
