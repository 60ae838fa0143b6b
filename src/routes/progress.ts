import type { ParticipantRequest, Progress } from '../exchange/token-exchange.ts'
import type { RequestRecord } from '../http/request-log.ts'

/** Notes what becomes known of a participant's request in its log record. */
export function noteProgress(record: RequestRecord, request: ParticipantRequest): Progress {
  record.serverName = request.openIdToken.matrixServerName
  record.room = request.room
  return {
    authorised({ access }) {
      record.access = access
    },
    identified(identity) {
      record.identity = identity
    },
  }
}
