/** On every answer of the JSON endpoints: what lets browsers on any origin call them. */
export const BROWSER_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers':
    'Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token',
  // Otherwise a web client could not say which line of the log is about its request.
  'access-control-expose-headers': 'X-Request-Id',
}

const JSON_ENDPOINTS = /^\/(?:get_token|sfu\/get|delegate_delayed_leave)\/?$/

/** Tells whether a path is that of an endpoint that browsers call. */
export function isBrowserEndpoint(path: string): boolean {
  return JSON_ENDPOINTS.test(path)
}
