/** Scheme and authority of an absolute URL. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i
const HTTP = 'http://'

/** Index of the first of some characters, from `start` on; the length of the text if there is none. */
function indexOfAny(text: string, characters: string, start: number): number {
  let at = start
  while (at < text.length && !characters.includes(text.charAt(at))) at += 1
  return at
}

/** Length of scheme and authority; 0 without them. */
function originLength(url: string): number {
  // As nearly all have it.
  if (url.startsWith(HTTP)) return indexOfAny(url, '/?#', HTTP.length)
  return ORIGIN.exec(url)?.[0].length ?? 0
}

/**
 * Path of a request. `new URL` would throw on a strange `Host`, which the runtime puts into the URL
 * unchecked, and on a missing one.
 */
export function pathOf({ url }: { readonly url: string }): string {
  const start = originLength(url)
  return url.slice(start, indexOfAny(url, '?#', start)) || '/'
}

/** Whether the URL of a request has an origin; without `Host` it has none. */
export function hasOrigin({ url }: { readonly url: string }): boolean {
  return url.startsWith(HTTP) || ORIGIN.test(url)
}
