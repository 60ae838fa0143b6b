/**
 * Floods the service from one address as fast as this process can: `bun flooder.ts URL MS ADDRESS`. Every
 * other request has an invalid body, the others name servers that do not exist. Prints how many of each
 * status there were.
 */

const [url = '', durationMs = '', address = ''] = process.argv.slice(2)
const CONCURRENT = 64
const until = performance.now() + Number(durationMs)
const statuses: Record<string, number> = {}

function bodyOf(turn: number): string {
  if (turn % 2 === 0) return `{"room": ${turn}`
  const openid_token = { access_token: 'made-up', matrix_server_name: `no-${turn}.invalid` }
  return JSON.stringify({ room: '!room:example.com', openid_token, device_id: 'DEVICE' })
}

async function flood(first: number): Promise<void> {
  for (let turn = first; performance.now() < until; turn += CONCURRENT) {
    const response = await fetch(`${url}/sfu/get`, {
      method: 'POST',
      headers: { 'X-Forwarded-For': address },
      body: bodyOf(turn),
    })
    await response.text()
    statuses[response.status] = (statuses[response.status] ?? 0) + 1
  }
}

await Promise.all(Array.from({ length: CONCURRENT }, (_, index) => flood(index)))
process.stdout.write(JSON.stringify(statuses))
