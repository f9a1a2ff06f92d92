import { ApiClient, type ApiAnswer } from '@berth/testing';
import { startGateway, type TestGateway } from './gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

const get = (path: string): Promise<ApiAnswer<string>> => new ApiClient(gateway.url).get(path);

test('the document is there for everybody', async () => {
  const { status, headers, body } = await new ApiClient(gateway.url).get<{ openapi: string }>(
    '/openapi.json',
  );
  expect([status, body.openapi]).toEqual([200, '3.1.0']);
  expect(headers.get('content-type')).toMatch(/^application\/json/);
});

test('the page needs nothing but what the gateway serves, and may load nothing else', async () => {
  const page = await get('/docs');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self';/);
  expect(page.body).not.toMatch(/https?:|<script>|\son\w+=/);
  const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
  expect(files).toHaveLength(4);
  for (const file of files) {
    const { status, headers } = await get(`/${file}`);
    expect([file, status, headers.get('x-content-type-options')]).toEqual([file, 200, 'nosniff']);
  }
  expect((await get('/docs/start.js')).body).toContain("url: 'openapi.json'");
});

test.each(['package.json', '..%2Fpackage.json', 'index.html'])(
  'no other file is served: %s',
  async (file) => {
    expect((await get(`/docs/${file}`)).status).toBe(404);
  },
);
