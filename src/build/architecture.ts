/** A processor architecture that the image is built for, by its name in container platforms. */
export type Architecture = 'amd64' | 'arm64'

/** @throws Error when `name` is not one that the image is built for. */
export function parseArchitecture(name: string): Architecture {
  if (name === 'amd64' || name === 'arm64') return name
  throw new Error(`architecture "${name}": expected "amd64" or "arm64"`)
}

/** @throws Error on a machine that the image is not built for. */
export function hostArchitecture(): Architecture {
  return parseArchitecture(process.arch === 'x64' ? 'amd64' : process.arch)
}
