import { dispose, Room } from '@livekit/rtc-node'

/**
 * Joins a LiveKit room with media, and leaves it on SIGTERM.
 *
 * `bun call-client.ts URL TOKEN`: writes "joined" once it is in.
 */

const [url = '', token = ''] = process.argv.slice(2)
const room = new Room()

process.once('SIGTERM', async () => {
  await room.disconnect()
  await dispose()
  process.exit()
})
await room.connect(url, token, { autoSubscribe: true, dynacast: false })
process.stdout.write('joined\n')
