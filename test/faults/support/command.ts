import { resolve } from 'node:path'
import { service } from '../../process/commands.ts'

const binary = process.env.JWT_SERVICE_BINARY

/** The service: the binary that `JWT_SERVICE_BINARY` names, or else the sources. */
export const command = binary === undefined ? service : [resolve(binary)]
