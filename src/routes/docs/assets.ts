import stylePath from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundlePath from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import pageStylePath from './page.css' with { type: 'file' }

/** A file of the API viewer. */
export interface Asset {
  /** Path of the embedded file. */
  readonly path: string
  readonly contentType: string
}

/** The viewer's files by URL name; they are embedded in the binary. */
export const ASSETS: Readonly<Record<string, Asset>> = {
  'page.css': { path: pageStylePath, contentType: 'text/css; charset=utf-8' },
  'viewer.js': { path: bundlePath, contentType: 'text/javascript; charset=utf-8' },
  'viewer.css': { path: stylePath, contentType: 'text/css; charset=utf-8' },
}
