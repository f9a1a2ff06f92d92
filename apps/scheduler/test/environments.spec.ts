import { schedulerRpc, secretRpc, type Deployment } from '@berth/contracts';
import { docker, eventually } from '@berth/testing';
import { scriptImage, textAt, webImage } from './engine-bench.js';
import { sideBySide } from './side-by-side.js';
import { SchedulerBench } from './scheduler-bench.js';

let bench: SchedulerBench;

const beside = sideBySide(async () => {
  bench = await SchedulerBench.start();
  const [one, two, crash] = await Promise.all([
    webImage('web-one', 'one'),
    webImage('web-two', 'two'),
    scriptImage('crash', 'exit 3'),
  ]);
  bench.neighbours.images = { 'web:1': one, 'web:2': two, crash };
});
afterAll(() => bench.stop());

interface Place {
  project: string;
  environment: string;
}

/** Answers with the greeting of its environment at `/greeting`, and with what its image is at `/`. */
const web = (more = ''): string => `
services:
  web:
    image: "web:\${TAG:-1}"
    command: [/bin/sh, -c, 'mkdir /tmp/www; cp /www/* /tmp/www; echo $$GREETING >/tmp/www/greeting; exec httpd -f -p 8080 -h /tmp/www']
    environment: { GREETING: "\${GREETING:-hello}" }
    ports: ["8080"]
    ${more}`;

async function withProd(variables: Record<string, string> = {}): Promise<{ dev: Place; prod: Place }> {
  const dev = await bench.shop({ GREETING: 'hi' });
  const prod = { project: dev.project, environment: 'prod' };
  await bench.call(schedulerRpc.createEnvironment, { project: dev.project, name: 'prod', variables });
  return { dev, prod };
}

async function succeeded(asked: Promise<Deployment> | Deployment): Promise<Deployment> {
  const deployment = await bench.finished((await asked).id);
  expect([deployment.status, deployment.reason]).toEqual(['succeeded', null]);
  return deployment;
}

const deploy = (place: Place, compose = web()): Promise<Deployment> =>
  succeeded(bench.deploy(place, compose));
const get = (place: Place) => bench.call(schedulerRpc.getEnvironment, place);
const instancesOf = async (place: Place) => (await bench.services(place))[0].instances;
const at = async (place: Place, path = ''): Promise<string> =>
  textAt(`${(await bench.services(place))[0].ports[0].url}/${path}`);

describe('a promotion', () => {
  beside('rolls out the very release, under the variables and settings of its own environment', async () => {
    const { dev, prod } = await withProd({ GREETING: 'welcome', TAG: '2' });
    const first = await deploy(dev);
    await bench.call(schedulerRpc.updateEnvironment, {
      ...{ ...prod, variables: { GREETING: 'welcome', TAG: '2' } },
      services: { web: { replicas: 2, memory: '64MiB' } },
    });
    const promoted = await succeeded(bench.call(schedulerRpc.promote, { ...prod, from: 'dev' }));
    expect(promoted).toMatchObject({ cause: 'promote', release: first.release });
    expect((await get(prod)).release).toBe((await get(dev)).release);
    // The image is the release's, though prod's own variable would have named another.
    expect([await at(dev), await at(prod)]).toEqual(['one', 'one']);
    expect([await at(dev, 'greeting'), await at(prod, 'greeting')]).toEqual(['hi', 'welcome']);
    expect((await bench.services(prod))[0].replicas).toEqual({ running: 2, desired: 2 });
    const parity = await bench.call(schedulerRpc.parity, { ...dev, with: 'prod' });
    expect(parity.sameRelease).toBe(true);
    expect(parity.differences.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'environment.GREETING declared',
      'limits.memoryBytes declared',
      'replicas declared',
    ]);
    await eventually(() =>
      expect(
        bench
          .recordsOf(prod.project)
          .filter(({ action }) => action === 'deployment.promote')
          .map(({ outcome, actor, request }) => ({ outcome, actor, request })),
      ).toEqual([
        {
          outcome: 'succeeded',
          actor: 'ann',
          request: { from: 'dev', release: first.release, releasedBy: 'ann' },
        },
      ]),
    );
  });

  beside('is refused where nothing runs, or another release than was looked at', async () => {
    const { dev, prod } = await withProd();
    const empty = bench.call(schedulerRpc.promote, { ...prod, from: 'dev' });
    await expect(empty).rejects.toMatchObject({ code: 'CONFLICT' });
    await deploy(dev);
    const release = `sha256:${'0'.repeat(64)}`;
    const other = bench.call(schedulerRpc.promote, { ...prod, from: 'dev', release });
    await expect(other).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await get(prod)).release).toBeNull();
  });

  beside('is judged as a promotion and as a deployment', async () => {
    const { dev, prod } = await withProd();
    await deploy(dev);
    for (const denied of ['deployment.promote', 'deployment.create']) {
      bench.neighbours.decide.set(prod.project, ({ action }) => ({ allowed: action !== denied }));
      const promotion = bench.call(schedulerRpc.promote, { ...prod, from: 'dev' });
      await expect(promotion).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    }
    bench.neighbours.decide.delete(prod.project);
    expect((await get(prod)).release).toBeNull();
  });
});

describe('a rollback', () => {
  beside('brings the release before back, or the one that is named', async () => {
    const { dev } = await withProd();
    const none = bench.call(schedulerRpc.rollBack, dev);
    await expect(none).rejects.toMatchObject({ code: 'CONFLICT' });
    const first = await deploy(dev);
    const second = await deploy(dev, web().replace('TAG:-1', 'TAG:-2'));
    expect(await at(dev)).toBe('two');
    const back = await succeeded(bench.call(schedulerRpc.rollBack, dev));
    expect(back).toMatchObject({ cause: 'rollback', release: first.release });
    expect(await at(dev)).toBe('one');
    const digits = second.release.slice('sha256:'.length, 20);
    await succeeded(bench.call(schedulerRpc.rollBack, { ...dev, release: digits }));
    expect(await at(dev)).toBe('two');
    const unknown = bench.call(schedulerRpc.rollBack, { ...dev, release: 'abcdef0' });
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a change of the environment', () => {
  beside('is rolled out, and in force and told once it has succeeded', async () => {
    const { dev } = await withProd();
    await deploy(dev);
    const changed = await bench.call(schedulerRpc.updateEnvironment, {
      ...dev,
      variables: { GREETING: 'yo' },
    });
    expect(changed).toMatchObject({ configuration: 2, deployment: { cause: 'configure', configuration: 2 } });
    if (!changed.deployment) throw new Error('nothing was rolled out');
    await succeeded(changed.deployment);
    expect(await at(dev, 'greeting')).toBe('yo');
    expect(await get(dev)).toMatchObject({ configuration: 2, variables: { GREETING: 'yo' } });
    await eventually(() =>
      expect(bench.eventsOf(dev.project).map(({ type }) => type)).toContain('environment.updated.v1'),
    );
    const { items } = await bench.call(schedulerRpc.listConfigurations, { ...dev, limit: 10 });
    expect(items.map(({ version, current, createdBy }) => ({ version, current, createdBy }))).toEqual([
      { version: 2, current: true, createdBy: 'ann' },
      { version: 1, current: false, createdBy: 'ann' },
    ]);
  });

  beside('that fails leaves variables, settings and instances as they were', async () => {
    const { dev } = await withProd();
    const command = '[/bin/sh, -c, "test -z $$BREAK || exit 4; exec httpd -f -p 8080 -h /www"]';
    const compose = `services: { web: { image: "web:1", ports: ["8080"], environment: [BREAK], command: ${command} } }`;
    const first = await deploy(dev, compose);
    const changed = await bench.call(schedulerRpc.updateEnvironment, { ...dev, variables: { BREAK: '1' } });
    const deployment = await bench.finished(changed.deployment?.id ?? '');
    expect(deployment).toMatchObject({ status: 'failed', reason: expect.stringContaining('code 4') });
    expect(await get(dev)).toMatchObject({
      ...{ configuration: 1, variables: { GREETING: 'hi' }, release: first.release },
    });
    expect(await at(dev)).toBe('one');
    // The version is taken, so that history tells of it.
    const next = await bench.call(schedulerRpc.updateEnvironment, { ...dev, variables: {} });
    expect(next.configuration).toBe(3);
    await succeeded(next.deployment ?? Promise.reject(new Error('nothing was rolled out')));
  });

  beside('scales a service, and the next deploy keeps that', async () => {
    const { dev } = await withProd();
    await deploy(dev);
    const before = await instancesOf(dev);
    const scaled = await bench.call(schedulerRpc.scaleService, { ...dev, service: 'web', replicas: 3 });
    await succeeded(scaled.deployment ?? Promise.reject(new Error('nothing was rolled out')));
    const after = await instancesOf(dev);
    expect(after.filter(({ state }) => state === 'running')).toHaveLength(3);
    expect(after.map(({ id }) => id)).toEqual(expect.arrayContaining(before.map(({ id }) => id)));
    await deploy(dev, web('labels: [a=b]'));
    expect((await bench.services(dev))[0].replicas).toEqual({ running: 3, desired: 3 });
    const missing = bench.call(schedulerRpc.scaleService, { ...dev, service: 'nope', replicas: 3 });
    await expect(missing).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  beside('stops a service, under whatever name, and scaling starts it again', async () => {
    const { dev } = await withProd();
    await deploy(dev);
    const at = { ...dev, service: 'web' };
    bench.neighbours.decide.set(dev.project, ({ action }) => ({ allowed: action !== 'service.stop' }));
    for (const refused of [
      bench.call(schedulerRpc.stopService, at),
      bench.call(schedulerRpc.scaleService, { ...at, replicas: 0 }),
      bench.call(schedulerRpc.updateEnvironment, {
        ...dev,
        variables: {},
        services: { web: { replicas: 0 } },
      }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    }
    bench.neighbours.decide.delete(dev.project);
    const stopped = await bench.call(schedulerRpc.stopService, at);
    await succeeded(stopped.deployment ?? Promise.reject(new Error('nothing was rolled out')));
    expect((await bench.services(dev))[0].replicas).toEqual({ running: 0, desired: 0 });
    expect((await get(dev)).services).toEqual({ web: { replicas: 0 } });
    const scaled = await bench.call(schedulerRpc.scaleService, { ...at, replicas: 1 });
    await succeeded(scaled.deployment ?? Promise.reject(new Error('nothing was rolled out')));
    expect((await bench.services(dev))[0].replicas).toEqual({ running: 1, desired: 1 });
    const missing = bench.call(schedulerRpc.stopService, { ...dev, service: 'nope' });
    await expect(missing).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  beside('is asked of policy by its own name', async () => {
    const { dev } = await withProd();
    await deploy(dev);
    bench.neighbours.decide.set(dev.project, ({ action }) => ({ allowed: action !== 'service.scale' }));
    const scaled = bench.call(schedulerRpc.scaleService, { ...dev, service: 'web', replicas: 3 });
    await expect(scaled).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    bench.neighbours.decide.delete(dev.project);
    expect((await get(dev)).services).toEqual({});
  });
});

describe('a secret', () => {
  beside('is given as a file and as a variable, and a new value is live without a deploy', async () => {
    const { dev } = await withProd();
    const set = (value: string) =>
      bench.call(secretRpc.set, { ...dev, name: 'KEY', value: Buffer.from(value).toString('base64') });
    expect((await set('first')).deployment).toBeNull();
    const command =
      'mkdir /tmp/www; cp /www/* /tmp/www; cp /run/secrets/KEY /tmp/www/file; echo $$KEY >/tmp/www/variable; exec httpd -f -p 8080 -h /tmp/www';
    await deploy(
      dev,
      `
secrets: { KEY: }
services:
  web:
    image: "web:1"
    command: [/bin/sh, -c, '${command}']
    ports: ["8080"]
    secrets: [KEY]
    x-berth: { secret_variables: [KEY] }
  other: { image: "web:1" }`,
    );
    const shown = async (): Promise<string[]> => {
      const url = (await bench.services(dev)).find(({ name }) => name === 'web')?.ports[0].url ?? '';
      return Promise.all(['file', 'variable'].map((path) => textAt(`${url}/${path}`)));
    };
    const other = async (): Promise<string[]> =>
      (await bench.services(dev)).flatMap(({ name, instances }) =>
        name === 'other' ? instances.map(({ id }) => id) : [],
      );
    expect(await shown()).toEqual(['first', 'first']);
    const before = await other();
    const changed = await set('second');
    await succeeded(changed.deployment ?? Promise.reject(new Error('nothing was rolled out')));
    expect(await shown()).toEqual(['second', 'second']);
    expect(await other()).toEqual(before);
    // The version before is gone from the engine too.
    const left = await docker(
      ...[bench.dockerHost, 'secret', 'ls', '-q', '--filter', `label=berth.project=${dev.project}`],
    );
    expect(left.trim().split('\n')).toHaveLength(1);
  });
});

describe('what would change', () => {
  beside('is planned to the key, and nothing is done', async () => {
    const { dev } = await withProd();
    await deploy(dev);
    const compose = `${web('volumes: ["data:/data"]').replace('hello', 'x').replace('TAG:-1', 'TAG:-2')}
  more: { image: "web:1" }
volumes: { data: }`;
    const plan = await bench.call(schedulerRpc.plan, { ...dev, compose });
    expect(plan.services).toEqual([
      { service: 'more', change: 'create', order: null, note: null },
      {
        ...{ service: 'web', change: 'update', order: 'stop-first' },
        note: expect.stringContaining('the volume "data"'),
      },
    ]);
    expect(plan.differences.map(({ service, path }) => `${service}.${path}`)).toEqual(
      expect.arrayContaining(['more.', 'web.image', 'web.volumes']),
    );
    expect(await bench.services(dev)).toHaveLength(1);
    const diff = await bench.call(schedulerRpc.diff, { ...dev, with: 'prod' });
    expect(diff.differences).toEqual([
      { service: 'web', path: '', from: expect.stringContaining('web:1@sha256:'), to: null },
    ]);
    const nothing = bench.call(schedulerRpc.diff, { ...dev, with: 'nowhere' });
    await expect(nothing).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
