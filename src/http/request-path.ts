/** Scheme and authority of an absolute URL. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/**
 * Path of a request. `new URL` would throw on a strange `Host`, which the runtime puts into the URL
 * unchecked, and on a missing one.
 */
export function pathOf({ url }: { readonly url: string }): string {
  return url.replace(ORIGIN, '').replace(/[?#].*$/s, '') || '/'
}

/** Whether the URL of a request has an origin; without `Host` it has none. */
export function hasOrigin({ url }: { readonly url: string }): boolean {
  return ORIGIN.test(url)
}
