import { join } from 'node:path'
import type { BuildConfig } from 'bun'

/** Root of the project. */
export const ROOT = join(import.meta.dir, '../..')

/** How the service is bundled, for the binary and for lists of what is in it. */
export const BUNDLE = {
  entrypoints: [join(ROOT, 'src/main.ts')],
  target: 'bun',
  format: 'esm',
  // Identifiers stay, so that stack traces and error names read as the source does.
  minify: { syntax: true, whitespace: true, identifiers: false },
  metafile: true,
} as const satisfies Omit<BuildConfig, 'compile'>
