import type { LiveKitCredentials } from '../../src/livekit/access-token.ts'

/** The key pair of the stand-in SFU; the secret is just long enough not to be warned about. */
export const CREDENTIALS: LiveKitCredentials = {
  apiKey: 'devkey',
  apiSecret: 'a-secret-that-is-at-least-32-bytes-long',
}

/** Of somebody who has the key, and not the secret. */
export const OTHER_CREDENTIALS: LiveKitCredentials = {
  ...CREDENTIALS,
  apiSecret: 'another-secret-of-at-least-32-bytes-length',
}

/** {@link CREDENTIALS} as the service is given them. */
export const CREDENTIAL_SETTINGS = {
  LIVEKIT_KEY: CREDENTIALS.apiKey,
  LIVEKIT_SECRET: CREDENTIALS.apiSecret,
} as const
