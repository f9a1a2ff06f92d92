import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Ingress, Page, Service } from '@berth/contracts';
import {
  docker,
  engineVersion,
  inheritedEnvironment,
  natsAccepts,
  readHostSettings,
  REPOSITORY,
} from '@berth/host';
import { eventually, newPlatformFolder, testEngine } from '@berth/testing';

jest.setTimeout(240_000);

interface Diagnosis {
  healthy: boolean;
  checks: { name: string; state: string; detail: string }[];
}

interface Status {
  items: { services: Service[] }[];
  ingress: Ingress;
}

interface Access {
  url: string;
  user: string;
  password: string;
}

interface Up {
  url: string;
  registry: string;
  nats: string;
  /** Where the sample answers. */
  sample?: string;
  token?: string;
}

describe('a newcomer with ./berth', () => {
  let env: Record<string, string>;
  let sample: string;
  let first: Up;

  const berth = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(join(REPOSITORY, 'berth'), args, { env, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  /** What the command says last on stdout, as JSON. Fails with all that it said when it failed. */
  const lastLine = <T>(...args: string[]): T => {
    const { status, stdout, stderr } = berth(...args);
    if (status !== 0) throw new Error(`berth ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
  };
  /** With nothing but curl: whatever DNS says of its name. */
  const curl = (url: string) =>
    spawnSync('curl', ['-sS', '--fail', '--max-time', '10', url], { encoding: 'utf8' });
  const answers = () => expect(curl(sample).stdout).toContain('Hello from web');

  beforeAll(async () => {
    await testEngine();
    const folder = newPlatformFolder();
    const picked = [
      '',
      '_REGISTRY',
      '_POLICY',
      '_SCHEDULER',
      '_QUOTA',
      '_AUDIT',
      '_NATS',
      '_POSTGRES',
      '_INGRESS',
    ];
    env = {
      ...inheritedEnvironment(),
      BERTH_HOME: join(folder, 'home'),
      BERTH_CONFIG: join(folder, 'config'),
      ...Object.fromEntries(picked.map((name) => [`BERTH${name}_PORT`, '0'])),
    };
  });

  afterAll(async () => {
    berth('down');
    // What `up --sample` built and pushed stays in the engine for its user; there is none here.
    if (first)
      await docker(readHostSettings().dockerHost, 'image', 'rm', '--force', `${first.registry}/demo/hello:1`);
  });

  it('has a running platform and an answering sample after one command', async () => {
    first = lastLine<Up>('up', '--sample', '--json');
    expect(first).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      registry: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      nats: expect.stringMatching(/^nats:\/\/127\.0\.0\.1:\d+$/) as string,
      sample: expect.stringMatching(/^http:\/\/web\.dev\.sample\.localhost:\d+$/) as string,
      token: expect.stringMatching(/^berth_[\w-]{43}$/) as string,
    });
    sample = first.sample ?? '';
    answers();
    const { items } = lastLine<Page<Service>>('services', '--project', 'sample', '--env', 'dev', '--json');
    const seen = items.map(({ name, url, ports }) => ({ name, url, ports }));
    expect(seen.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'api', url: null, ports: [] },
      { name: 'web', url: sample, ports: [] },
    ]);
  });

  it('is logged in, with a credentials file for nobody else', () => {
    const stored = lastLine<{ url: string; token: string }>('token', 'show', '--json');
    expect(stored).toMatchObject({ url: first.url, token: first.token });
    expect(statSync(join(env.BERTH_CONFIG, 'credentials.json')).mode & 0o777).toBe(0o600);
    expect(lastLine<{ user: string }>('whoami', '--json').user).toBe('admin');
  });

  it('finds everything in place the second time, and is shown no token again', () => {
    const { status, stdout, stderr } = berth('up', '--sample', '--json');
    expect([status, JSON.parse(stdout.trim())]).toEqual([
      0,
      { url: first.url, registry: first.registry, nats: first.nats, sample },
    ]);
    expect(stderr).not.toMatch(/started|installed/);
  });

  it('is told that all is well, and what is not', async () => {
    const { healthy, checks } = lastLine<Diagnosis>('doctor', '--json');
    expect(healthy).toBe(true);
    expect(checks).toContainEqual({
      ...{ name: 'way in', state: 'ok' },
      detail: expect.stringContaining('runs, and answers at http://127.0.0.1:') as string,
    });
    const { items, ingress } = lastLine<Status>('status', '--project', 'sample', '--json');
    expect(items[0].services.find(({ name }) => name === 'web')?.url).toBe(sample);
    expect(ingress).toEqual({
      ...{ state: 'answers', reason: null, addresses: [`http://127.0.0.1:${new URL(sample).port}`] },
      url: sample.replace('web.dev.sample', '<service>.<environment>.<project>'),
    });
    expect(lastLine<{ user: string; password: string }>('nats', '--json').user).toBe('observer');
  });

  it('has a new key for its secrets after one command, and the platform runs on', () => {
    const key = (): unknown =>
      (JSON.parse(readFileSync(join(env.BERTH_HOME, 'secrets.json'), 'utf8')) as { secretsKey: string })
        .secretsKey;
    const before = key();
    expect(lastLine('rekey', '--json')).toEqual({ rekeyed: true });
    expect(key()).not.toBe(before);
    answers();
  });

  it('lets a system of theirs answer one hook, until it does not any more', async () => {
    const { url, user, password } = lastLine<Access>('integrator', 'add', 'tickets', '--json');
    const isIn = (pass = password): Promise<boolean> => natsAccepts(Number(new URL(url).port), user, pass);
    expect([await isIn(), await isIn('guessed')]).toEqual([true, false]);
    expect(lastLine<Access>('integrator', 'add', 'tickets', '--json').password).toBe(password);
    expect(lastLine('integrator', 'ls', '--json')).toEqual({ hooks: ['tickets'] });
    // The services' connections are as they were.
    expect(berth('project', 'ls').status).toBe(0);
    expect(lastLine('integrator', 'rm', 'tickets', '--json')).toEqual({ removed: 'tickets' });
    expect(await isIn()).toBe(false);
    expect(berth('integrator', 'rm', 'tickets').stderr).toContain('Nobody was let in');
    expect(berth('integrator', 'add', 'No Name').status).toBe(1);
  });

  it('stops what was started, and only that; data stays', async () => {
    expect(berth('down').status).toBe(0);
    await expect(fetch(`${first.url}/healthz`)).rejects.toThrow();
    expect(curl(sample).status).not.toBe(0);
    expect(await engineVersion(readHostSettings().dockerHost)).toBeDefined();
    const { status, stdout } = berth('doctor');
    expect([status, stdout]).toEqual([1, expect.stringContaining('./berth up')]);
    expect(stdout).toContain('broken   way in: does not run');
    expect(berth('project', 'ls').status).not.toBe(0);

    lastLine<Up>('up', '--json');
    await eventually(answers, { timeout: 30_000 });
    expect(lastLine<{ items: { name: string }[] }>('project', 'ls', '--json').items).toMatchObject([
      { name: 'sample' },
    ]);
  });
});
