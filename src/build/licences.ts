/**
 * Lists the licence of everything that is compiled into the binary, and fails on one that is unknown or
 * not permitted.
 */

import { type CompiledPackage, compiledPackages } from './packages.ts'

/** SPDX identifiers of the licences that may be compiled in. */
export const PERMITTED_LICENCES: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
])

/** What the list and the SBOM say about the runtime, which no package brings. */
export const RUNTIME_NOTE =
  'The runtime, copied into the binary: MIT itself, and statically linked with JavaScriptCore of WebKit ' +
  '(LGPL-2) and other libraries, which https://bun.com/docs/project/license lists.'

/** What the list and the SBOM say about packages that hold code of others. */
export const NOTES: ReadonlyMap<string, string> = new Map([
  [
    'swagger-ui-dist',
    'The files of the API pages. They hold code of others, whose notices are in ' +
      'swagger-ui-bundle.js.LICENSE.txt of the package.',
  ],
])

function isWrapped(expression: string): boolean {
  return /^\([^()]+\)$/.test(expression)
}

/**
 * Whether an SPDX expression permits use: all licences that `AND` joins, or one that `OR` offers. A
 * mixture of both, or anything else than identifiers, is not understood and so not permitted.
 *
 * @see https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
 */
export function isPermitted(expression: string): boolean {
  const bare = isWrapped(expression) ? expression.slice(1, -1) : expression
  const choices = bare.split(' OR ')
  if (choices.length > 1) return choices.some((licence) => PERMITTED_LICENCES.has(licence))
  return bare.split(' AND ').every((licence) => PERMITTED_LICENCES.has(licence))
}

function lineOf({ name, version, licence }: CompiledPackage): string {
  const note = NOTES.get(name)
  const found = licence === '' ? 'none stated' : licence
  return `${`${name}@${version}`.padEnd(40)} ${found}${note === undefined ? '' : `\n    ${note}`}\n`
}

if (import.meta.main) {
  const packages = await compiledPackages()
  for (const each of packages) process.stdout.write(lineOf(each))
  process.stdout.write(`${`bun@${Bun.version}`.padEnd(40)} MIT\n    ${RUNTIME_NOTE}\n`)
  const refused = packages.filter(({ licence }) => !isPermitted(licence))
  if (refused.length > 0) {
    const lines = refused.map(lineOf).join('')
    process.stderr.write(
      `\nUnknown or not permitted:\n${lines}` +
        'PERMITTED_LICENCES in src/build/licences.ts lists what is permitted.\n',
    )
    process.exit(1)
  }
}
