import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AuditRecord, BuiltImage, ImageTag, IssuedToken, Page, Quota } from '@berth/contracts';
import { buildTestImage, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { runCli, type CliRun } from './run-cli.js';

jest.setTimeout(180_000);

let platform: TestPlatform;
let folder: string;
let token: string;

const run = (as: string | undefined, line: string): Promise<CliRun> =>
  runCli(line.split(' '), { env: platform.cliEnvironment(as), cwd: folder });
const admin = (line: string): Promise<CliRun> => run(undefined, line);
const berth = (line: string): Promise<CliRun> => run(token, line);

async function done(asked: Promise<CliRun>): Promise<string> {
  const { code, stdout, stderr } = await asked;
  expect(code === 0 ? '' : `${code}: ${stderr}`).toBe('');
  return stdout;
}

/** Lays files down in a folder of their own, and answers where. */
function files(texts: Record<string, string>): string {
  const place = mkdtempSync(join(folder, 'context-'));
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), text);
  }
  return place;
}

async function built(place: string, options = ''): Promise<BuiltImage> {
  return JSON.parse(await done(berth(`image build ${place} -p shop --json ${options}`.trim()))) as BuiltImage;
}

async function tags(repository: string): Promise<string[]> {
  const { code, stdout } = await admin(`image tags ${repository} --json`);
  // Not found.
  if (code === 6) return [];
  return (JSON.parse(stdout) as Page<ImageTag>).items.map(({ name }) => name);
}

async function records(): Promise<AuditRecord[]> {
  const { stdout } = await admin('audit ls --action image.build --json');
  return (JSON.parse(stdout) as Page<AuditRecord>).items;
}

/** What the docker command shows of containers that run in builds now. */
function containers(): string[] {
  const shown = execFileSync(
    'docker',
    ['-H', platform.dockerHost, 'ps', '--no-trunc', '--format', '{{.Command}}'],
    { encoding: 'utf8' },
  );
  return shown.split('\n').filter((command) => command.includes('sleep 987'));
}

beforeAll(async () => {
  await buildTestImage({ name: 'cli-base', user: '0', cmd: ['sh'] });
  platform = await startPlatform();
  folder = mkdtempSync(join(tmpdir(), 'berth-builds-'));
  await done(admin('team create acme'));
  for (const user of ['mira', 'eve']) await done(admin(`user create ${user}`));
  await done(admin('team add-member acme mira --role developer'));
  token = (JSON.parse(await done(admin('token create --user mira --json'))) as IssuedToken).token;
  await done(berth('project create shop'));
  await done(berth('env create dev -p shop'));
});
afterAll(async () => {
  const { dockerHost, registry } = platform ?? {};
  await platform?.stop();
  if (folder) rmSync(folder, { recursive: true });
  const docker = (...args: string[]) =>
    spawnSync('docker', ['-H', dockerHost, ...args], { encoding: 'utf8' });
  const ours = [`${registry}/*/*/*`, `${registry}/*/*`].flatMap((name) => ['--filter', `reference=${name}`]);
  const names = docker('images', '--format', '{{.Repository}}:{{.Tag}}', ...ours).stdout.split('\n');
  for (const name of names.filter((name) => name && !name.endsWith('<none>'))) docker('rmi', '--force', name);
});

test('a folder becomes an image of the project, without what its .dockerignore names', async () => {
  const place = files({
    Dockerfile: [
      'ARG FLAVOUR=plain',
      'FROM cli-base:1 AS pages',
      'ARG FLAVOUR',
      'COPY . /in/',
      'RUN mkdir /out && echo "$FLAVOUR" > /out/flavour \\',
      '  # what there is',
      '  && cd /in && find . -type f | sort > /out/files',
      '',
      'FROM cli-base:1',
      'COPY --from=pages /out /www',
      'LABEL shop.flavour=any',
      'USER 1000',
      'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]',
    ].join('\n'),
    '.dockerignore': 'secret\nnode_modules\n!node_modules/kept\n',
    secret: 'a secret',
    'node_modules/left': 'out',
    'node_modules/kept': 'in',
    'src/a file.txt': 'text',
  });
  const image = await built(place, '--name web --tag v1 --build-arg FLAVOUR=sweet');
  expect(image).toMatchObject({ repository: 'acme/shop/web', tag: 'v1' });
  expect(image.reference).toBe(`${platform.registry}/acme/shop/web@${image.digest}`);
  const inspected = await done(berth(`image inspect acme/shop/web@${image.digest} --json`));
  expect(JSON.parse(inspected)).toMatchObject({ digest: image.digest });

  // The same again is the same image, out of the cache.
  expect(await built(place, '--name web --tag v2 --build-arg FLAVOUR=sweet')).toMatchObject({
    digest: image.digest,
  });
  expect(await tags('acme/shop/web')).toEqual(['v1', 'v2']);

  const compose = `name: shop\nservices:\n  web:\n    image: "${image.reference}"\n    ports: ["8080"]\n    init: true\n`;
  writeFileSync(join(folder, 'compose.yaml'), compose);
  const out = await done(berth('deploy --env dev'));
  const [, url = ''] = /web {2}(http:\S+)/.exec(out) ?? [];
  expect(await (await fetch(new URL('/flavour', url))).text()).toBe('sweet\n');
  expect(await (await fetch(new URL('/files', url))).text()).toBe(
    './Dockerfile\n./node_modules/kept\n./src/a file.txt\n',
  );

  const [ended, begun] = (await records()).slice(0, 2);
  expect([begun?.outcome, ended?.outcome]).toEqual(['accepted', 'succeeded']);
  expect(ended?.request).toMatchObject({
    ...{ bases: ['docker.io/library/cli-base'], arguments: ['FLAVOUR'], digest: image.digest, commands: 1 },
  });
  expect(JSON.stringify(ended)).not.toContain('sweet');
});

test('a Compose file with builds is deployed in one command', async () => {
  const place = files({
    'compose.yaml':
      'name: shop\nservices:\n  web:\n    build: { context: web, args: { WORD: one } }\n    ports: ["8080"]\n    init: true\n',
    'web/Dockerfile':
      'FROM cli-base:1\nARG WORD\nRUN mkdir /www && echo $WORD > /www/page\nUSER 1000\nCMD ["httpd","-f","-p","8080","-h","/www"]\n',
  });
  const deploy = (line: string): Promise<CliRun> =>
    runCli(line.split(' '), { env: platform.cliEnvironment(token), cwd: place });
  const { code, stdout, stderr } = await deploy('deploy --env dev');
  expect([code, stderr]).toEqual([0, expect.stringContaining('web | Step 1/')]);
  const [, url = ''] = /web {2}(http:\S+)/.exec(stdout) ?? [];
  expect(await (await fetch(new URL('/page', url))).text()).toBe('one\n');
  // It can go to another environment as it is, which builds nothing.
  await done(deploy('env create prod'));
  await done(deploy('promote dev prod'));
  expect(await tags('acme/shop/web')).toContain('latest');

  writeFileSync(
    join(place, 'compose.yaml'),
    'name: shop\nservices: { web: { build: { context: web, args: { WORD: "${WORD}" } } } }\n',
  );
  const refused = await deploy('deploy --env dev');
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('services.web.build has a variable in it'),
  ]);
});

describe('policy', () => {
  afterEach(() => admin('policy rm build-rule'));

  async function rule(about: string, text: string): Promise<void> {
    const file = join(folder, 'build-rule.cedar');
    writeFileSync(file, `@id("build-rule")\n@message("Not like this: ${about}.")\n${text}\n`);
    await done(admin(`policy apply -f ${file}`));
  }

  it('says what an image may be built from, before anything is', async () => {
    await rule(
      '{context.bases}',
      'forbid (principal, action == Berth::Action::"image.build.before", resource is Berth::Image) when { context.baseRegistries.contains("docker.io") };',
    );
    const place = files({ Dockerfile: 'FROM cli-base:1\nRUN false\n' });
    const { code, stderr } = await berth(`image build ${place} -p shop`);
    expect([code, stderr]).toEqual([4, expect.stringContaining('Not like this: ')]);
    expect(stderr).toContain('docker.io/library/cli-base');
    expect(stderr).not.toContain('Step 1');
    expect((await records())[0]).toMatchObject({ outcome: 'denied', code: 'POLICY_DENIED' });
  });

  it('judges what came of it, and what it denies is nowhere', async () => {
    await rule(
      '{context.user}',
      'forbid (principal, action == Berth::Action::"image.build.after", resource is Berth::Image) when { context.user == "root" };',
    );
    const root = files({ Dockerfile: 'FROM cli-base:1\nUSER 0\n' });
    const { code, stderr } = await berth(`image build ${root} -p shop --name judged`);
    expect([code, stderr]).toEqual([4, expect.stringContaining('Not like this')]);
    expect(await tags('acme/shop/judged')).toEqual([]);
    const listed = execFileSync(
      'docker',
      ['-H', platform.dockerHost, 'images', '--format', '{{.Repository}}'],
      {
        encoding: 'utf8',
      },
    );
    expect(listed).not.toContain('acme/shop/judged');
    const other = files({ Dockerfile: 'FROM cli-base:1\nUSER 1000\n' });
    expect(await built(other, '--name judged')).toMatchObject({ repository: 'acme/shop/judged' });
  });
});

test('a build holds of the quota of its team while it goes on', async () => {
  const used = async (): Promise<number> => {
    const { stdout } = await admin('quota show teams/acme --json');
    return (JSON.parse(stdout) as Quota).used.cpu;
  };
  const before = await used();
  const place = files({
    Dockerfile:
      'FROM cli-base:1\nRUN sleep 2; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes || true\n',
  });
  const going = berth(`image build ${place} -p shop --name held`);
  await eventually(async () => expect(await used()).toBe(before + 1));
  expect((await going).stderr).toMatch(/^1073741824$/m);
  await eventually(async () => expect(await used()).toBe(before));

  await done(admin(`quota set teams/acme --cpu ${before + 0.5}`));
  try {
    const { code, stderr } = await berth(`image build ${place} -p shop --name held`);
    expect([code, stderr]).toEqual([5, expect.stringContaining('limit of cpu')]);
  } finally {
    await done(admin('quota set teams/acme'));
  }
});

test('who is of another team learns nothing, and what is wrong is said with its line', async () => {
  const eve = (JSON.parse(await done(admin('token create --user eve --json'))) as IssuedToken).token;
  const place = files({ Dockerfile: 'FROM cli-base:1\nBUILD it\n' });
  expect(await run(eve, `image build ${place} -p shop`)).toMatchObject({ code: 6, stdout: '' });
  for (const [text, code] of [
    ['FROM cli-base:1\nBUILD it\n', 'Line 2 of the Dockerfile: "BUILD" is no instruction'],
    ['FROM cli-base:1\nADD http://127.0.0.1:1/x /x\n', 'Line 2 of the Dockerfile: ADD takes plain paths'],
    ['FROM cli-base:1\nRUN --mount=type=cache,target=/x true\n', 'RUN --mount is not supported'],
    ['FROM nowhere/at-all:1\n', 'IMAGE_NOT_FOUND'],
    ['FROM cli-base:1\nCOPY missing /\n', 'BUILD_FAILED'],
    ['FROM cli-base:1\nRUN exit 7\n', 'returned a non-zero code: 7'],
  ]) {
    const { stderr, code: exit } = await berth(`image build ${files({ Dockerfile: text })} -p shop`);
    expect([exit === 0, stderr]).toEqual([false, expect.stringContaining(code)]);
  }
});

test('what runs in a build does not reach the host', async () => {
  const host: Server = createServer((_request, response) => response.end('from the host')).listen(0);
  await once(host, 'listening');
  const { port } = host.address() as AddressInfo;
  try {
    const network = `berth-${platform.installation}-builds`;
    const format = '{{(index .IPAM.Config 0).Gateway}}';
    const shown = ['-H', platform.dockerHost, 'network', 'inspect', network, '--format', format];
    const address = execFileSync('docker', shown, { encoding: 'utf8' }).trim();
    expect(await (await fetch(`http://${address}:${port}/`)).text()).toBe('from the host');
    const place = files({
      Dockerfile: `FROM cli-base:1\nRUN timeout 2 wget -q -O - http://${address}:${port}/ || echo nothing\n`,
    });
    const { stderr } = await berth(`image build ${place} -p shop --no-cache`);
    expect(stderr).toMatch(/^nothing$/m);
    expect(stderr).not.toMatch(/^from the host/m);
  } finally {
    host.close();
  }
});

test('nor what runs in another build', async () => {
  const serving = files({
    Dockerfile:
      'FROM cli-base:1\nRUN mkdir /www && echo a neighbour > /www/page && timeout 30 httpd -f -p 8080 -h /www || true\n',
  });
  const [main, env] = [
    join(__dirname, '../dist/main.js'),
    { HOME: '/nonexistent', ...platform.cliEnvironment(token) },
  ];
  const child = spawn(
    process.execPath,
    [main, 'image', 'build', serving, '-p', 'shop', '--name', 'one', '--no-cache'],
    { env },
  );
  try {
    const docker = (...args: string[]): string =>
      execFileSync('docker', ['-H', platform.dockerHost, ...args], {
        encoding: 'utf8',
        stdio: 'pipe',
      }).trim();
    const page = await eventually(
      async () => {
        const shown = docker('ps', '--no-trunc', '--format', '{{.ID}} {{.Command}}').split('\n');
        const id = shown.find((line) => line.includes('a neighbour'))?.split(' ')[0] ?? '';
        const address = docker(
          'inspect',
          '--format',
          '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
          id,
        );
        const url = `http://${address}:8080/page`;
        expect(await (await fetch(url)).text()).toBe('a neighbour\n');
        return url;
      },
      { timeout: 20_000 },
    );
    const asking = files({
      Dockerfile: `FROM cli-base:1\nRUN timeout 2 wget -q -O - ${page} || echo nothing\n`,
    });
    const { stderr } = await berth(`image build ${asking} -p shop --name two --no-cache`);
    expect(stderr).toMatch(/^nothing$/m);
    expect(stderr).not.toMatch(/^a neighbour/m);
  } finally {
    child.kill('SIGKILL');
  }
});

describe('a build that is left', () => {
  const endless = (): string => files({ Dockerfile: 'FROM cli-base:1\nRUN sleep 987\n' });

  it('by its caller ends, and its record says so', async () => {
    const args = [
      join(__dirname, '../dist/main.js'),
      'image',
      'build',
      endless(),
      '-p',
      'shop',
      '--no-cache',
    ];
    const child = spawn(process.execPath, args, {
      env: { HOME: '/nonexistent', ...platform.cliEnvironment(token) },
    });
    await eventually(() => expect(containers()).toHaveLength(1), { timeout: 20_000 });
    child.kill('SIGKILL');
    await eventually(() => expect(containers()).toHaveLength(0), { timeout: 20_000 });
    await eventually(async () =>
      expect((await records())[0]).toMatchObject({
        outcome: 'failed',
        reason: expect.stringContaining('left'),
      }),
    );
  });

  it('by its scheduler, killed, ends, and its caller is told', async () => {
    const going = berth(`image build ${endless()} -p shop --no-cache`);
    await eventually(() => expect(containers()).toHaveLength(1), { timeout: 20_000 });
    await platform.service('scheduler').kill();
    const { code, stderr } = await going;
    expect([code, stderr]).toEqual([7, expect.stringContaining('The scheduler that built this is gone')]);
    await eventually(() => expect(containers()).toHaveLength(0), { timeout: 20_000 });
    await platform.service('scheduler').restart();
    expect(await built(files({ Dockerfile: 'FROM cli-base:1\nUSER 1\n' }))).toMatchObject({ tag: 'latest' });
  });
});
