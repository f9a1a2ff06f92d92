import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeGateway } from './fake-gateway.js';
import { runCli, type CliRun } from './run-cli.js';
import { TIME } from './samples.js';

const gateway = new FakeGateway();
const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
const inDays = (days: number): string => new Date(Date.now() + (days + 0.5) * 86_400_000).toISOString();
const certificate = (host: string, expiresAt: string) => ({
  ...{ host, names: [host], issuer: 'CN=R1', fingerprint: 'ab', expiresAt, setBy: 'root', setAt: TIME },
});
let env: Record<string, string>;

beforeAll(async () => {
  env = { BERTH_URL: await gateway.start(), BERTH_TOKEN: 'berth_secret' };
  writeFileSync(join(folder, 'chain.pem'), 'a chain');
  writeFileSync(join(folder, 'key.pem'), 'a key');
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => gateway.reset());

const berth = (...words: string[]): Promise<CliRun> => runCli(['certificate', ...words], { env });

test('set sends both files and says when the certificate expires', async () => {
  gateway.onJson('PUT /v1/certificates/*.example.org', certificate('*.example.org', inDays(30)));
  const files = ['--certificate', join(folder, 'chain.pem'), '--key', join(folder, 'key.pem')];
  const { code, stdout } = await berth('set', '*.example.org', ...files);
  expect([code, gateway.requests('PUT')[0].body]).toEqual([0, { certificate: 'a chain', key: 'a key' }]);
  expect(stdout).toMatch(/^Set the certificate of \*\.example\.org.*\nIt expires on .* \(in 30 days\)\.\n$/);
});

test('set sends nothing where a file cannot be read', async () => {
  const { code, stderr } = await berth('set', 'a.org', '--certificate', join(folder, 'none'), '--key', 'x');
  expect([code, gateway.requests('PUT')]).toEqual([2, []]);
  expect(stderr).toContain('ENOENT');
});

test('ls shows when each expires, and rm removes one', async () => {
  const items = [certificate('a.org', inDays(3)), certificate('b.org', inDays(-2))];
  gateway.onJson('GET /v1/certificates', { items, nextCursor: null });
  expect((await berth('ls')).stdout).toMatch(/a\.org .*\(in 3 days\).*CN=R1.*\nb\.org .*\(expired\)/);
  gateway.on('DELETE /v1/certificates/a.org', (_request, response) => void response.writeHead(204).end());
  expect((await berth('rm', 'a.org')).stdout).toBe('Removed the certificate of a.org.\n');
});
