import stylePath from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundlePath from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import pageStylePath from './page.css' with { type: 'file' }

/** Permits nothing foreign or inline, except `data:` images for the icons in the viewer's style sheet. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The API page. Its links are relative, since a proxy may strip a path prefix. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>jwt-service-ts: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="swagger/viewer.css">
<link rel="stylesheet" href="swagger/page.css">
</head>
<body>
<div id="viewer"></div>
<noscript>This page needs JavaScript. For programs: <a href="swagger/json">swagger/json</a>.</noscript>
<script src="swagger/viewer.js"></script>
<script src="swagger/start.js"></script>
</body>
</html>
`

/** Starts the viewer; a separate file, since the page permits no inline script. */
export const START_SCRIPT = `SwaggerUIBundle({
  url: 'swagger/json',
  dom_id: '#viewer',
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
})
`

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
