import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  for (const host of ['origin.test', 'www.test', 'hs.test']) stage.point(host, '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const PATH = '/.well-known/matrix/server'

function redirect(location: string, status = 302) {
  return { kind: 'redirect', location, status } as const
}

/** Asks for a token with well-known answered by `origin`, and nothing at the default port. */
async function causeOf(origin: Homeserver): Promise<unknown> {
  const service = await stage.service({
    tuning: { wellKnownPort: origin.port, federationPort: await findClosedPort() },
  })
  return (await service.ask('origin.test')).cause
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`follows a redirect of well-known with status ${status}, over https`, async () => {
    const homeserver = await stage.homeserver({ dns: ['www.test', 'hs.test'] })
    const { port } = homeserver
    homeserver.respond('/delegation', { kind: 'reply', body: { 'm.server': `hs.test:${port}` } })
    const origin = await stage.homeserver({ dns: ['origin.test'] })
    origin.respond(PATH, redirect(`https://www.test:${port}/delegation?x=1`, status))
    const service = await stage.service({ tuning: { wellKnownPort: origin.port } })
    const token = homeserver.issueOpenIdToken('@alice:origin.test')
    expect(await service.ask('origin.test', token)).toMatchObject({ status: 200 })
    expect(homeserver.requests.map(({ host, sni, path }) => ({ host, sni, path }))).toEqual([
      { host: `www.test:${port}`, sni: 'www.test', path: '/delegation' },
      {
        host: `hs.test:${port}`,
        sni: 'hs.test',
        path: '/_matrix/federation/v1/openid/userinfo',
      },
    ])
    expect(homeserver.requests[0]?.query.get('x')).toBe('1')
  })
}

test('follows a relative redirect', async () => {
  const homeserver = await stage.homeserver({ dns: ['origin.test', 'hs.test'] })
  homeserver.respond(PATH, redirect('../../delegation'))
  homeserver.respond('/delegation', {
    kind: 'reply',
    body: { 'm.server': `hs.test:${homeserver.port}` },
  })
  const service = await stage.service({ tuning: { wellKnownPort: homeserver.port } })
  const token = homeserver.issueOpenIdToken('@alice:origin.test')
  expect(await service.ask('origin.test', token)).toMatchObject({ status: 200 })
})

test('does not follow a redirect to http', async () => {
  const plain = stage.keep(await startHomeserver())
  plain.setWellKnownServer('hs.test')
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, redirect(`http://www.test:${plain.port}${PATH}`))
  expect(await causeOf(origin)).toEndWith('; well-known: redirect to a URL that is not https')
  expect(plain.connections()).toBe(0)
})

for (const location of ['file:///etc/passwd', 'data:application/json,{}', 'ftp://www.test/']) {
  test(`does not follow a redirect to ${location}`, async () => {
    const origin = await stage.homeserver({ dns: ['origin.test'] })
    origin.respond(PATH, redirect(location))
    expect(await causeOf(origin)).toEndWith('; well-known: redirect to a URL that is not https')
  })
}

test('does not follow a redirect with credentials', async () => {
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, redirect(`https://user:password@origin.test:${origin.port}/x`))
  expect(await causeOf(origin)).toEndWith('; well-known: redirect with credentials')
  expect(origin.requests).toHaveLength(1)
})

test('does not follow a redirect to an invalid host', async () => {
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, redirect('https://under_score.test/'))
  expect(await causeOf(origin)).toEndWith('; well-known: redirect to an unusable host')
})

for (const denied of ['127.0.0.9', '2130706441', '0x7f.9', '[::ffff:127.0.0.9]', 'inside.test']) {
  test(`does not follow a redirect to ${denied}, a denied address`, async () => {
    const inside = stage.keep(await startHomeserver({ hostname: '127.0.0.9' }))
    stage.point('inside.test', '127.0.0.9')
    const origin = await stage.homeserver({ dns: ['origin.test'] })
    origin.respond(PATH, redirect(`https://${denied}:${inside.port}${PATH}`))
    expect(await causeOf(origin)).toMatch(/; well-known: address \S+ is denied by 127\.0\.0\.0\/8$/)
    expect(inside.connections()).toBe(0)
  })
}

test('checks the certificate at the end of a redirect', async () => {
  const impostor = await stage.homeserver({ dns: ['origin.test'] })
  impostor.setWellKnownServer('hs.test:1')
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, redirect(`https://www.test:${impostor.port}${PATH}`))
  expect(await causeOf(origin)).toEndWith(': certificate is for another name')
  expect(impostor.requests).toEqual([])
})

test('stops at a redirect loop', async () => {
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, redirect(PATH))
  expect(await causeOf(origin)).toEndWith('; well-known: more than 5 redirects')
  expect(origin.requests).toHaveLength(6)
})

test('has one deadline for all redirects together', async () => {
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, async () => {
    await Bun.sleep(150)
    return redirect(PATH)
  })
  const service = await stage.service({
    tuning: {
      wellKnownPort: origin.port,
      wellKnownTimeoutMs: 400,
      federationPort: await findClosedPort(),
    },
  })
  expect((await service.ask('origin.test')).cause).toEndWith('; well-known: timeout after 0.4 s')
})
