import type { LiveKitCredentials } from '../../src/livekit/access-token.ts'

/** The key pair of the stand-in SFU; the secret is just long enough not to be warned about. */
export const CREDENTIALS: LiveKitCredentials = {
  apiKey: 'devkey',
  apiSecret: 'a-secret-that-is-at-least-32-bytes-long',
}

/** The same pair as the service is given it. */
export const CREDENTIAL_SETTINGS = {
  LIVEKIT_KEY: CREDENTIALS.apiKey,
  LIVEKIT_SECRET: CREDENTIALS.apiSecret,
} as const
