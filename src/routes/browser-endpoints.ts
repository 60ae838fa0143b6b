import { pathOf } from '../lib/request-path.ts'

/** On every answer of the JSON endpoints: what lets browsers on any origin call them. */
export const BROWSER_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers':
    'Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token',
}

const JSON_ENDPOINTS = /^\/(?:get_token|sfu\/get|delegate_delayed_leave)\/?$/

/** Tells whether a request is to an endpoint that browsers call. */
export function isBrowserEndpoint(request: Request): boolean {
  return JSON_ENDPOINTS.test(pathOf(request))
}
