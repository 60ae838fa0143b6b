import { resolve } from 'node:path'
import { service } from '../../process/commands.ts'

const binary = process.env.JWT_SERVICE_BINARY
const program = binary === undefined ? service : [resolve(binary)]

// Where the system can, nothing outlives the tests, even when they are killed themselves.
const bound = Bun.which('setpriv') === null ? [] : ['setpriv', '--pdeathsig', 'KILL']

/** The service: the binary that `JWT_SERVICE_BINARY` names, or else the sources. */
export const command = [...bound, ...program]
