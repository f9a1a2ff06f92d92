import { BerthError } from '@berth/contracts';
import { docker, eventually, type TestImage } from '@berth/testing';
import type { EnvironmentRef } from '../src/engine/container-engine.js';
import { sideBySide } from './side-by-side.js';
import { SwarmEngine } from '../src/engine/swarm/swarm-engine.js';
import { addressOf, engineBench, scriptImage, textAt, webImage, type EngineBench } from './engine-bench.js';

let bench: EngineBench;
let images: Record<string, TestImage>;

const beside = sideBySide(async () => {
  bench = await engineBench();
  const [one, two, crash, slow, sick] = await Promise.all([
    webImage('web-one', 'one'),
    webImage('web-two', 'two'),
    scriptImage('crash', 'echo about to fall; echo no such table >&2; exit 3'),
    scriptImage('slow', 'sleep 2; touch /tmp/ready; sleep 600'),
    scriptImage('sick', 'echo cannot reach the database; sleep 600'),
  ]);
  images = { one, two, crash, slow, sick };
});
afterAll(() => bench.clean());

let environments = 0;
/** Each case in an environment of its own: none waits for another's containers to end. */
const somewhere = (): EnvironmentRef => ({ project: 'shop', environment: `e${(environments += 1)}` });

const web = (image: string, more = ''): string =>
  `services:\n  web:\n    image: ${image}\n    ports: ["8080"]\n${more.replace(/^/gm, '    ')}`;
const roll = (compose: string, target: EnvironmentRef) => bench.rollout(compose, images, target);
const instancesOf = async (target: EnvironmentRef, name = 'web') =>
  (await bench.engine.services(target)).find((service) => service.name === name)?.instances ?? [];

describe('a first rollout', () => {
  beside('runs within the limits of the default, and answers where it says', async () => {
    const target = somewhere();
    const rollout = roll(web('one'), target);
    const { outcome } = await bench.run(rollout);
    expect(outcome).toEqual({ state: 'running' });
    const services = await bench.engine.services(target);
    expect(services).toMatchObject([
      { name: 'web', desired: 1, release: rollout.release, instances: [{ state: 'running', healthy: null }] },
    ]);
    expect(await textAt(addressOf(services, 'web'))).toBe('one');
    const { all, instances } = await bench.engine.inspect(rollout);
    expect(instances).toMatchObject([
      {
        service: 'web',
        facts: { instances: 1, user: '1000:1000', digest: images.one.digest, unexpectedImage: false },
      },
    ]);
    expect(instances[0].facts.cpuMillis).toBeGreaterThan(0);
    expect(all).toEqual({
      instances: 1,
      privileged: false,
      capabilities: [
        'CHOWN',
        'DAC_OVERRIDE',
        'FOWNER',
        'FSETID',
        'KILL',
        'NET_BIND_SERVICE',
        'SETGID',
        'SETUID',
      ],
      bindMounts: [],
      networks: [`berth-${bench.installation}-shop-${target.environment}`],
      foreignNetworks: [],
      unlimitedMemory: false,
      unlimitedPids: false,
      users: ['1000:1000'],
      images: [images.one.digest],
      unexpectedImages: [],
    });
  });

  beside(
    'starts what depends on another when that is healthy, and lets them reach each other by name',
    async () => {
      const target = somewhere();
      const compose = `
services:
  web:
    image: one
    command: [/bin/sh, -c, "wget -q -O /tmp/got http://api:8080/ && httpd -f -p 8080 -h /tmp"]
    ports: ["8080"]
    depends_on: { gate: { condition: service_healthy }, api: { condition: service_started } }
  gate:
    image: slow
    healthcheck: { test: "test -f /tmp/ready", interval: 200ms, retries: 50 }
  api:
    image: two`;
      const { outcome, progress } = await bench.run(roll(compose, target));
      expect(outcome).toEqual({ state: 'running' });
      expect(progress.join('\n')).toContain('web: waits for gate, api');
      const services = await bench.engine.services(target);
      expect(await textAt(`${addressOf(services, 'web')}got`)).toBe('two');
      const startOf = (name: string) => services.find((s) => s.name === name)?.instances[0].startedAt ?? '';
      expect(startOf('web') > startOf('gate')).toBe(true);
      expect(services.find((service) => service.name === 'gate')?.instances[0].healthy).toBe(true);
    },
  );

  beside('fails with the last output and the exit code of a container that crashes', async () => {
    const target = somewhere();
    const { outcome } = await bench.run(roll(web('crash'), target));
    if (outcome.state !== 'failed') throw new Error('it did not fail');
    const [told, ...lines] = outcome.reason.split('\n');
    expect(told).toBe('Service "web": 3 starts failed: the container exited with code 3. Its last output:');
    // What is written to two pipes at once may be read in either order.
    expect(lines.sort()).toEqual(['about to fall', 'no such table']);
    await bench.engine.remove(target, { network: true, volumes: true });
    expect(await bench.engine.services(target)).toEqual([]);
  });

  beside('fails when an image cannot be pulled', async () => {
    const target = somewhere();
    const missing = { ...images.one, digest: `sha256:${'0'.repeat(64)}` };
    const { outcome } = await bench.run(bench.rollout(web('one'), { one: missing }, target));
    expect(outcome).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/web.*(No such image|not found)/),
    });
  });

  beside('fails when no node has room, with the reason', async () => {
    const { outcome } = await bench.run(
      roll(
        web('one', 'deploy: { resources: { reservations: { memory: 900g }, limits: { memory: 900g } } }'),
        somewhere(),
      ),
    );
    expect(outcome).toMatchObject({ state: 'failed', reason: expect.stringContaining('no suitable node') });
  });

  beside('fails when it is not healthy in time, with what the container says', async () => {
    const check = 'healthcheck: { test: "test -f /never", interval: 1s, retries: 1000 }';
    const { outcome } = await bench.run(roll(web('sick', check), somewhere()), { seconds: 5 });
    expect(outcome).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/in time.*"web": 0 of 1 running, starting.*cannot reach the database/s),
    });
  });

  beside('fails when its health check does', async () => {
    const check = 'healthcheck: { test: "echo not yet; exit 1", interval: 100ms, retries: 1 }';
    const { outcome } = await bench.run(roll(web('sick', check), somewhere()));
    expect(outcome).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/unhealthy.*cannot reach the database/s),
    });
  });
});

describe('an update', () => {
  beside('replaces what changed and leaves alone what did not', async () => {
    const target = somewhere();
    const both = (image: string): string =>
      `${web(image)}\n  other:\n    image: two\n    deploy: {replicas: 2}`;
    await bench.run(roll(both('one'), target));
    const before = await instancesOf(target, 'other');
    const update = roll(both('two'), target);
    expect((await bench.run(update)).outcome).toEqual({ state: 'running' });
    expect(await textAt(addressOf(await bench.engine.services(target), 'web'))).toBe('two');
    const after = await instancesOf(target, 'other');
    expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
    expect(after.map(({ release }) => release)).toEqual([update.release, update.release]);
  });

  beside('that crashes fails with the last output, and the release before serves again', async () => {
    const target = somewhere();
    const first = roll(web('one'), target);
    await bench.run(first);
    const bad = roll(web('crash'), target);
    const failed = await bench.run(bad);
    expect(failed.outcome).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('no such table'),
    });
    const again = { ...first, deployment: bad.deployment };
    expect((await bench.run(again)).outcome).toEqual({ state: 'running' });
    // Until then the engine starts the one that crashes again and again, beside it.
    await bench.engine.removeOthers(again, { untilGone: true });
    expect(await textAt(addressOf(await bench.engine.services(target), 'web'))).toBe('one');
  });

  beside('that is never healthy leaves the instance of the release before untouched', async () => {
    const target = somewhere();
    const first = roll(web('one'), target);
    await bench.run(first);
    const [before] = await instancesOf(target);
    const bad = roll(web('sick', 'healthcheck: { test: "exit 1", interval: 100ms, retries: 2 }'), target);
    expect((await bench.run(bad)).outcome).toMatchObject({ state: 'failed' });
    expect((await bench.run({ ...first, deployment: bad.deployment })).outcome).toEqual({ state: 'running' });
    const running = (await instancesOf(target)).filter(({ state }) => state === 'running');
    expect(running.map(({ id }) => id)).toEqual([before.id]);
  });

  beside('can give the fixed port of the host to another service', async () => {
    const target = somewhere();
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const holder = (name: string) => `services:\n  ${name}:\n    image: one\n    ports: ["${port}:8080"]`;
    await bench.run(roll(holder('web'), target));
    const renamed = roll(holder('front'), target);
    expect((await bench.run(renamed)).outcome).toEqual({ state: 'running' });
    await bench.engine.removeOthers(renamed);
    expect((await bench.engine.services(target)).map(({ name }) => name)).toEqual(['front']);
    expect(await textAt(`http://127.0.0.1:${port}/`)).toBe('one');
  });
});

describe('what was replaced', () => {
  const file = (version: string, ...more: string[]): string => {
    const lines = ['image: one', `environment: { VERSION: "${version}" }`, ...more];
    return `services:\n  web:\n${lines.map((line) => `    ${line}\n`).join('')}`;
  };
  const replaced = async (...more: string[]): Promise<{ target: EnvironmentRef; containers: number }> => {
    const target = somewhere();
    await bench.run(roll(file('1', ...more), target));
    const update = roll(file('2', ...more), target);
    expect((await bench.run(update)).outcome).toEqual({ state: 'running' });
    await bench.engine.removeOthers(update);
    const labels = [`berth.installation=${bench.installation}`, `berth.environment=${target.environment}`];
    const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
    const ids = await docker(bench.dockerHost, 'ps', '--all', '--quiet', ...filters);
    return { target, containers: ids.trim().split('\n').length };
  };

  beside('ends what it has in hand, and nobody waits for that', async () => {
    const stubborn = `command: [/bin/sh, -c, "trap '' TERM; while :; do sleep 1; done"]`;
    const { target, containers } = await replaced(stubborn, 'stop_grace_period: 60s');
    expect(containers).toBe(2);
    expect(await instancesOf(target)).toHaveLength(1);
  });

  beside('is gone before it is over where another may need what it holds', async () => {
    const share = 'deploy: { resources: { reservations: { memory: 8M } } }';
    const { containers } = await replaced(share, 'stop_grace_period: 1s');
    expect(containers).toBe(1);
  });
});

describe('a rollout that is interrupted', () => {
  beside('is taken up where it was', async () => {
    const target = somewhere();
    const rollout = roll(web('one', 'healthcheck: { test: "true", interval: 500ms }'), target);
    const stop = new AbortController();
    const interrupted = bench.run(rollout, { signal: stop.signal });
    const [{ id }] = await eventually(async () => {
      const instances = await instancesOf(target);
      expect(instances).toHaveLength(1);
      return instances;
    });
    stop.abort();
    await expect(interrupted).rejects.toThrow();
    expect((await bench.run(rollout)).outcome).toEqual({ state: 'running' });
    expect((await instancesOf(target)).map((instance) => instance.id)).toEqual([id]);
  });
});

describe('an engine that is not there', () => {
  beside('is told as ENGINE_UNAVAILABLE', async () => {
    const options = {
      dockerHost: 'unix:///nowhere.sock',
      installation: 'none',
      registry: 'x',
      credentials: null,
    };
    const error = await new SwarmEngine(options).prepare().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BerthError);
    expect(error).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });
});
