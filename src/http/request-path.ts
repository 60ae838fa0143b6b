/** Scheme and authority of an absolute URL. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/**
 * Path of a request. Unlike `new URL`, it copes with whatever strangers send as `Host`: the runtime
 * puts it into the URL unchecked, or leaves the URL without one.
 */
export function pathOf({ url }: { readonly url: string }): string {
  return url.replace(ORIGIN, '').replace(/[?#].*$/s, '') || '/'
}

/** Tells whether the URL of a request has an origin; a request without `Host` has none. */
export function hasOrigin({ url }: { readonly url: string }): boolean {
  return ORIGIN.test(url)
}
