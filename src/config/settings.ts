import { ACCESS_SETTINGS } from './access-settings.ts'
import { APPLICATION_SERVICE_SETTINGS } from './application-service-settings.ts'
import { HOMESERVER_SETTINGS } from './homeserver-settings.ts'
import { HTTP_SETTINGS } from './http-settings.ts'
import { LIVEKIT_SETTINGS } from './livekit-settings.ts'
import { OPERATION_SETTINGS } from './operation-settings.ts'
import { RUNTIME_GUIDES } from './runtime.ts'
import type { Setting, SettingGuide } from './setting.ts'
import { STATE_SETTINGS } from './state-settings.ts'

/** The settings of the service, by what they are called in the code. */
export const SETTINGS = {
  ...LIVEKIT_SETTINGS,
  ...ACCESS_SETTINGS,
  ...HTTP_SETTINGS,
  ...OPERATION_SETTINGS,
  ...HOMESERVER_SETTINGS,
  ...STATE_SETTINGS,
  ...APPLICATION_SERVICE_SETTINGS,
}

/** All settings, in the order in which people are shown them. */
export const ALL_SETTINGS: readonly Setting<unknown>[] = Object.values(SETTINGS)

/** Variables that belong together. */
export interface GuideGroup {
  readonly title: string
  readonly guides: readonly SettingGuide[]
}

/** All that `--help` explains: the settings, and what the runtime reads by itself. */
export const GUIDE_GROUPS: readonly GuideGroup[] = [
  { title: 'LiveKit', guides: Object.values(LIVEKIT_SETTINGS) },
  { title: 'Who may do what', guides: Object.values(ACCESS_SETTINGS) },
  { title: 'HTTP', guides: Object.values(HTTP_SETTINGS) },
  { title: 'Logs, metrics and stopping', guides: Object.values(OPERATION_SETTINGS) },
  { title: 'Reaching homeservers', guides: Object.values(HOMESERVER_SETTINGS) },
  { title: 'Delegated leave events and state', guides: Object.values(STATE_SETTINGS) },
  { title: 'Application-service mode', guides: Object.values(APPLICATION_SERVICE_SETTINGS) },
  { title: 'Variables of the runtime', guides: RUNTIME_GUIDES },
]
