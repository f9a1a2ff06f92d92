import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditRecord, Deployment, IssuedToken, Page, Service } from '@berth/contracts';
import { buildTestImage, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { runCli, type CliRun } from './run-cli.js';

jest.setTimeout(180_000);

let platform: TestPlatform;
let folder: string;
let token: string;

const berthAs = (as: string | undefined, line: string): Promise<CliRun> =>
  runCli(line.split(' '), { env: platform.cliEnvironment(as), cwd: folder });
const admin = (line: string): Promise<CliRun> => berthAs(undefined, line);
const berth = (line: string): Promise<CliRun> => berthAs(token, line);

async function done(run: Promise<CliRun>): Promise<string> {
  const { code, stdout, stderr } = await run;
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return stdout;
}

function compose(tag: string): void {
  const service = `web:\n    image: cli-web:${tag}\n    ports: ["8080"]\n    user: "1000"`;
  const limits = 'deploy:\n      resources:\n        limits: { cpus: "0.1", memory: 32MiB }';
  writeFileSync(join(folder, 'compose.yaml'), `name: shop\nservices:\n  ${service}\n    ${limits}\n`);
}

beforeAll(async () => {
  const serve = { cmd: ['sh', '-c', 'echo listening; exec httpd -f -p 8080 -h /www'], ports: ['8080/tcp'] };
  await buildTestImage({
    name: 'cli-web',
    tag: '1',
    files: { '/www/index.html': { content: 'one\n' } },
    ...serve,
  });
  await buildTestImage({ name: 'cli-web', tag: 'crash', cmd: ['sh', '-c', 'echo no settings >&2; exit 3'] });
  platform = await startPlatform();
  folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  await done(admin('team create acme'));
  await done(admin('user create mira'));
  await done(admin('team add-member acme mira --role developer'));
  token = (JSON.parse(await done(admin('token create --user mira --json'))) as IssuedToken).token;
});
afterAll(async () => {
  await platform?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

test('a developer makes a project and an environment, and deploys', async () => {
  await done(berth('project create shop'));
  compose('1');
  await done(berth('env create dev'));
  const out = await done(berth('deploy --env dev'));
  for (const step of ['resolving images', 'policy', 'quota', 'rolling out', 'healthy']) {
    expect(out).toMatch(new RegExp(`✓ ${step} +\\d+\\.\\d s`));
  }
  const [, url] = /web {2}(http:\S+)/.exec(out) ?? [];
  expect(await (await fetch(url)).text()).toBe('one\n');
});

test('sees what runs and what it writes', async () => {
  expect(await done(berth('status --env dev'))).toMatch(/web +cli-web:1 +1\/1/);
  const services = JSON.parse(await done(berth('services --env dev --json'))) as Page<Service>;
  expect(services.items.map(({ name }) => name)).toEqual(['web']);
  await eventually(async () => expect(await done(berth('logs --env dev'))).toContain('listening\n'));
  expect(await done(berth('releases --env dev'))).toMatch(/runs +web +cli-web:1/);
});

test('a deployment that fails ends with 1 and the last words of the container', async () => {
  compose('crash');
  const { code, stderr } = await berth('deploy --env dev');
  expect(stderr).toContain('no settings');
  expect(code).toBe(1);
  const list = JSON.parse(await done(berth('deployments --env dev --json'))) as Page<Deployment>;
  expect(list.items.map(({ status }) => status)).toEqual(['failed', 'succeeded']);
});

test('one denied ends with 4 and what the policy says', async () => {
  const text = `@id("no-shop-one")
@message("Deploy another tag.")
forbid (principal, action == Berth::Action::"deployment.create.before", resource)
when { context.tags.contains("1") };`;
  writeFileSync(join(folder, 'rule.cedar'), text);
  expect(await done(admin('policy apply -f rule.cedar'))).toContain('no-shop-one is in force');
  compose('1');
  const { code, stderr } = await berth('deploy --env dev');
  expect(stderr).toContain('policy no-shop-one: Deploy another tag.');
  expect(code).toBe(4);
  const [, decision] = /berth policy explain (\S+)/.exec(stderr) ?? [];
  const explained = await done(berth(`policy explain ${decision}`));
  expect(explained).toMatch(/no-shop-one \(forbid, deny in platform\)\n +yes context\.tags\.contains\("1"\)/);
});

test('one that policy only warns of goes on, and its caller is told', async () => {
  await done(admin('policy bind no-shop-one --scope platform --mode warn'));
  const { code, stderr } = await berth('deploy --env dev');
  expect([code, stderr]).toEqual([0, 'Warning: policy no-shop-one: Deploy another tag.\n']);
  const simulated = await done(admin('policy simulate --id no-shop-one --mode deny'));
  expect(simulated).toMatch(/denied +mira +deployment\.create +Environment shop\.dev/);
  expect(await done(admin('policy history no-shop-one'))).toMatch(/2 +bound +.* by admin +warn in platform/);
  expect(await done(admin('policy rollback no-shop-one'))).toContain('deny in platform');
  await done(admin('policy rm no-shop-one'));
});

test('one over quota ends with 5 and the limits', async () => {
  await done(admin('quota set teams/acme --instances 0'));
  const { code, stderr } = await berth('deploy --env dev');
  expect(stderr).toMatch(/teams\/acme +instances +0/);
  expect(code).toBe(5);
});

test('the audit log has all of it', async () => {
  await eventually(async () => {
    const denied = await done(admin('audit ls --outcome denied --project shop --env dev --json'));
    const codes = (JSON.parse(denied) as Page<AuditRecord>).items.map(({ code }) => code);
    expect(codes).toEqual(['QUOTA_EXCEEDED', 'POLICY_DENIED']);
  });
  const exported = await done(admin('audit export --outcome denied --project shop --env dev'));
  const records = exported.trim().split('\n');
  expect(records.map((line) => (JSON.parse(line) as AuditRecord).code)).toEqual([
    'QUOTA_EXCEEDED',
    'POLICY_DENIED',
  ]);
});

test('and removes it', async () => {
  await done(berth('remove --env dev --volumes --yes'));
  expect((await berth('status --env dev')).code).toBe(6);
});
