import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildTestImage, type TestImage } from '@berth/testing';
import { readUpstreams, UpstreamsSetting } from '../src/upstream/upstreams.js';
import { UpstreamClient } from '../src/upstream/upstream-client.js';
import { UpstreamFront } from './upstream-front.js';

const CREDENTIALS = `Basic ${Buffer.from('berth:secret').toString('base64')}`;

/** A server that notes what it is asked, and answers tokens. */
async function tokenServer(body: unknown = { token: 'the-token', expires_in: 300 }, status = 200) {
  const asked: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { asked, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe('the token flow of an upstream', () => {
  let upstream: UpstreamFront;
  let image: TestImage;

  beforeAll(async () => {
    upstream = await UpstreamFront.start();
    image = await buildTestImage({ name: `tokens-${process.pid}`, busybox: false });
  });
  beforeEach(() => upstream.forget());
  afterAll(() => upstream.down());

  const client = (credentials: object = { username: 'berth', password: 'secret' }): UpstreamClient =>
    new UpstreamClient(
      readUpstreams(UpstreamsSetting.parse({ 'docker.io': { url: upstream.url, ...credentials } })),
      { answer: 2_000, idle: 2_000 },
    );
  const name = () => ({
    kind: 'upstream' as const,
    name: `docker.io/${image.repository}`,
    upstream: 'docker.io',
    path: image.repository,
  });
  /** Asks for a token unless it is sent, and hands out tokens itself at /token when the realm is its own. */
  const challenge = (realm: string, seen: IncomingMessage[] = []): void => {
    upstream.intercept = (request, response) => {
      seen.push(request);
      if (request.url?.startsWith('/token')) {
        response.writeHead(200).end(JSON.stringify({ access_token: 'the-token' }));
        return true;
      }
      if (request.headers.authorization === 'Bearer the-token') return false;
      const header = `Bearer realm="${realm}",service="registry",scope="repository:everything:pull,push,delete"`;
      response.writeHead(401, { 'www-authenticate': header }).end();
      return true;
    };
  };

  it('gets a token for its own repository only, and keeps it', async () => {
    const seen: IncomingMessage[] = [];
    challenge(`${upstream.url}/token`, seen);
    const asking = client();
    expect((await asking.manifest(name(), '1'))?.digest).toBe(image.digest);
    expect((await asking.manifest(name(), '1'))?.digest).toBe(image.digest);
    const tokens = seen.filter(({ url }) => url?.startsWith('/token'));
    expect(tokens).toHaveLength(1);
    expect(tokens[0]!.headers.authorization).toBe(CREDENTIALS);
    const parameters = new URL(tokens[0]!.url!, upstream.url).searchParams;
    expect(parameters.get('scope')).toBe(`repository:${image.repository}:pull`);
    expect(parameters.get('service')).toBe('registry');
  });

  it('asks without credentials when it has none', async () => {
    const seen: IncomingMessage[] = [];
    challenge(`${upstream.url}/token`, seen);
    expect((await client({}).manifest(name(), '1'))?.digest).toBe(image.digest);
    expect(seen.every(({ headers }) => !headers.authorization?.startsWith('Basic'))).toBe(true);
  });

  it('sends nothing to a realm of another host without https, whatever it is called', async () => {
    const thief = await tokenServer();
    const port = new URL(upstream.url).port;
    try {
      for (const realm of [
        `${thief.url}/token`,
        `http://127.0.0.1:${port}@${thief.url.slice(7)}/token`,
        'file:///etc/passwd',
        'token',
        '',
      ]) {
        challenge(realm);
        await expect(client().manifest(name(), '1')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
      }
      expect(thief.asked).toEqual([]);
    } finally {
      thief.close();
    }
  });

  it('follows no redirect with a question for a token', async () => {
    const thief = await tokenServer();
    try {
      challenge(`${upstream.url}/token`);
      const answers = upstream.intercept;
      upstream.intercept = (request, response) => {
        if (!request.url?.startsWith('/token')) return answers(request, response);
        response.writeHead(307, { location: thief.url }).end();
        return true;
      };
      await expect(client().manifest(name(), '1')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
      expect(thief.asked).toEqual([]);
    } finally {
      thief.close();
    }
  });

  it.each([
    ['no token', {}],
    ['a token that is no header', { token: 'a\r\nx-injected: 1' }],
    ['not an object', 'token'],
  ])('takes %s for a broken upstream', async (_what, body) => {
    challenge(`${upstream.url}/token`);
    const answers = upstream.intercept;
    upstream.intercept = (request, response) => {
      if (!request.url?.startsWith('/token')) return answers(request, response);
      response.writeHead(200).end(JSON.stringify(body));
      return true;
    };
    await expect(client().manifest(name(), '1')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      extensions: { failure: 'invalid' },
    });
  });

  it('gives up on redirects without an end', async () => {
    upstream.intercept = (request, response) => {
      response.writeHead(302, { location: `${request.url}x` }).end();
      return true;
    };
    await expect(client().manifest(name(), '1')).rejects.toMatchObject({
      extensions: { failure: 'invalid' },
    });
    expect(upstream.asked.length).toBeLessThan(10);
  });
});

describe('the setting of upstreams', () => {
  it('is Docker Hub unless told otherwise, and trusts its token host', () => {
    const hub = readUpstreams(UpstreamsSetting.parse(undefined)).get('docker.io')!;
    expect(hub.url).toBe('https://registry-1.docker.io');
    expect([...hub.tokenHosts]).toEqual(['auth.docker.io']);
  });

  it.each([
    { 'docker.io': { url: 'ftp://example.org' } },
    { 'docker.io': { url: 'https://user:pass@example.org' } },
    { 'docker.io': { url: 'https://example.org', username: 'alone' } },
    { 'docker.io': { url: 'https://example.org', unknown: true } },
    { teamlike: { url: 'https://example.org' } },
    { 'host:5000': { url: 'https://example.org' } },
  ])('refuses %j', (setting) => {
    expect(UpstreamsSetting.safeParse(setting).success).toBe(false);
  });
});
