import type { Environment, ReadFile, SettingsReader } from './reader.ts'

/** Whether the runtime sends HTTPS requests through a proxy. */
export function usesHttpsProxy(env: Environment): boolean {
  return [env.HTTPS_PROXY, env.https_proxy].some((proxy) => (proxy ?? '') !== '')
}

/** Warns of variables of the runtime that weaken what is promised, or promise what is not there. */
export function checkRuntime(reader: SettingsReader, env: Environment, readFile: ReadFile): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    reader.warn(
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'CERTIFICATES OF THE SFU AND OF REDIS ARE NOT CHECKED while it is "0"',
    )
  }
  if ((env.BUN_CONFIG_VERBOSE_FETCH ?? '') !== '') {
    reader.warn(
      'BUN_CONFIG_VERBOSE_FETCH',
      'TOKENS ARE PRINTED: every request to homeservers and to the SFU is; unset it',
    )
  }
  const extraRoots = env.NODE_EXTRA_CA_CERTS ?? ''
  if (extraRoots === '') return
  try {
    readFile(extraRoots)
  } catch {
    reader.warn('NODE_EXTRA_CA_CERTS', 'names a file that cannot be read; it is ignored')
  }
}
