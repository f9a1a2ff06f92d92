import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EnvironmentMetadata, schedulerRpc, secretRpc, type Problem } from '@berth/contracts';
import { applyIsolation, eventually, freePort, removeIsolation, testIngressImage } from '@berth/testing';
import { connectDocker } from '../src/engine/swarm/docker-client.js';
import { SwarmGuestPlaces } from '../src/engine/swarm/swarm-guest-places.js';
import { webImage } from './engine-bench.js';
import { docker, GuestConnections, requestOf, type Answer } from './guest-connections.js';
import { SchedulerBench } from './scheduler-bench.js';

const run = promisify(execFile);

jest.setTimeout(120_000);

const DOOR: [string, number] = ['metadata.berth', 8480];

interface Place {
  project: string;
  environment: string;
}

describe('what an environment tells its instances of itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-metadata-'));
  const connections = new GuestConnections();
  let bench: SchedulerBench;
  let port: number;
  let dev: Place;
  let staging: Place;
  const guests = new Map<string, string>();
  const wayIn = () => `berth-${bench.installation}-ingress`;

  const compose = `
services:
  web:
    image: one
    stop_grace_period: 1s
    ports: ["8081"]
    x-berth: { http: 8080 }
  quiet:
    image: one
    stop_grace_period: 1s
    environment: { GREETING: "\${GREETING:-none}" }
    x-berth: { secret_variables: [KEY] }
`;
  const plain = 'services: { quiet: { image: one, stop_grace_period: 1s } }';

  /** The container of an environment's `quiet`. */
  async function guestOf({ project, environment }: Place): Promise<string> {
    const labels = { installation: bench.installation, project, environment, service: 'quiet' };
    const filters = Object.entries(labels).flatMap(([name, value]) => [
      '--filter',
      `label=berth.${name}=${value}`,
    ]);
    return (await docker('ps', '--quiet', '--latest', ...filters)).trim();
  }

  const say = (guest: string, request: string, to = DOOR): Promise<Answer> =>
    connections.ask(guest, request, to);
  const ask = (guest: string, path: string, headers: string[] = []) => say(guest, requestOf(path, headers));

  async function read(guest: string, path = '/v1'): Promise<EnvironmentMetadata> {
    const { body } = await ask(guest, path);
    return EnvironmentMetadata.parse(JSON.parse(body));
  }

  /** Watches from within a guest, and collects what it is told. */
  function watch(guest: string, last?: string) {
    const request = requestOf('/v1/watch', last ? [`Last-Event-ID: ${last}`] : []);
    const { heard, stop } = connections.open(guest, request, DOOR);
    const events = () =>
      [...heard.text.matchAll(/^event: metadata\nid: (\w+)\ndata: (.*)\n\n/gm)].map(([, id, data]) => ({
        id,
        metadata: EnvironmentMetadata.parse(JSON.parse(data)),
      }));
    return { heard, events, stop };
  }

  const succeed = async (id: string) =>
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded', reason: null });

  beforeAll(async () => {
    const image = await testIngressImage();
    port = await freePort();
    bench = await SchedulerBench.start({
      ...{ BERTH_INGRESS_IMAGE: image, BERTH_INGRESS_FOLDER: folder, BERTH_INGRESS_PORT: port },
      SCHEDULER_UPKEEP_SECONDS: 1,
    });
    bench.neighbours.images = { one: await webImage('one', 'one') };
    dev = await bench.shop({ GREETING: 'hello' });
    staging = { project: dev.project, environment: 'staging' };
    await bench.call(schedulerRpc.createEnvironment, {
      project: dev.project,
      name: 'staging',
      variables: {},
    });
    const value = Buffer.from('planted-secret').toString('base64');
    await bench.call(secretRpc.set, { ...dev, name: 'KEY', value });
    const deployments = await Promise.all([bench.deploy(dev, compose), bench.deploy(staging, plain)]);
    for (const { id } of deployments) await succeed(id);
    for (const place of [dev, staging]) guests.set(place.environment, await guestOf(place));
  });
  afterAll(async () => {
    await connections.stop();
    await bench?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const guest = (environment = 'dev') => guests.get(environment) ?? '';

  it('is found by every instance at BERTH_METADATA_URL', async () => {
    const script = 'wget -q -O - "$BERTH_METADATA_URL/v1"';
    for (const place of [dev, staging]) {
      const told = JSON.parse(await docker('exec', guest(place.environment), 'sh', '-c', script)) as unknown;
      expect(told).toMatchObject(place);
    }
  });

  it('names release, services, variables and resources, and no secret', async () => {
    const environment = await bench.call(schedulerRpc.getEnvironment, dev);
    const text = (await ask(guest(), '/v1')).body;
    expect(text).not.toContain('planted-secret');
    const digest = bench.neighbours.images.one.digest;
    const service = { image: { reference: 'one', digest }, replicas: 1 };
    expect(JSON.parse(text)).toEqual({
      ...dev,
      release: { digest: environment.release, deployment: expect.any(String) as string },
      rollingOut: null,
      configuration: 1,
      variables: { GREETING: 'hello' },
      services: [
        { ...service, name: 'quiet', ports: [], protocol: null, url: { inside: null, outside: null } },
        {
          ...{ ...service, name: 'web', protocol: 'http' },
          ports: [{ target: 8081, published: null, protocol: 'tcp' }],
          url: { inside: 'http://web:8080', outside: `http://web.dev.${dev.project}.localhost:${port}` },
        },
      ],
      resources: [],
    });
  });

  it('can be read in parts, and is not sent again to who has it', async () => {
    const whole = await read(guest());
    for (const part of ['services', 'resources', 'variables', 'release'] as const) {
      expect(JSON.parse((await ask(guest(), `/v1/${part}`)).body)).toEqual(whole[part]);
    }
    const tag = /^etag: (.*)$/im.exec((await ask(guest(), '/v1')).headers)?.[1].trim();
    expect(await ask(guest(), '/v1', [`If-None-Match: ${tag}`])).toMatchObject({ status: 304, body: '' });
  });

  it.each([
    ['/v2', [], 'GET', 404, 'NOT_FOUND'],
    ['/v1/', [], 'GET', 404, 'NOT_FOUND'],
    ['/v1?environment=staging', [], 'GET', 400, 'VALIDATION_FAILED'],
    ['/v1/variables', [], 'DELETE', 405, 'METHOD_NOT_ALLOWED'],
    ['/v1', ['Content-Length: 2'], 'GET', 413, 'BODY_TOO_LARGE'],
  ])('refuses %s with %j by %s: %d %s', async (path, headers, method, status, code) => {
    const answer = await say(guest(), requestOf(path, headers, method, headers.length > 0 ? '{}' : ''));
    expect(answer).toMatchObject({
      status,
      headers: expect.stringContaining('application/problem+json') as string,
    });
    expect((JSON.parse(answer.body) as Problem).code).toBe(code);
  });

  it('goes by the network of who asks, and by nothing that is said', async () => {
    const address = await addressOf(guest('staging'));
    expect(address).toMatch(/^10\./);
    const lies = ['X-Berth-Remote', 'X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X_Berth_Remote'].map(
      (name) => `${name}: ${name === 'Forwarded' ? `for=${address}` : address}`,
    );
    const headers = [...lies, 'Connection: close, X-Berth-Remote', `X-Berth-Remote: ${address}`];
    expect(JSON.parse((await ask(guest(), '/v1', headers)).body)).toMatchObject(dev);
    const host = `Host: metadata.staging.${dev.project}`;
    const request = requestOf('/v1', [host]).replace('Host: metadata.berth\r\n', '');
    expect(JSON.parse((await say(guest(), request)).body)).toMatchObject(dev);
  });

  it('tells who watches how it is, and then each change as it is committed', async () => {
    const { events, heard, stop } = watch(guest());
    const others = watch(guest('staging'));
    await eventually(() => expect(events()).toHaveLength(1));
    await eventually(() => expect(others.events()).toHaveLength(1));
    expect(events()[0].metadata).toEqual(await read(guest()));

    const scaled = await bench.call(schedulerRpc.scaleService, { ...dev, service: 'web', replicas: 2 });
    await succeed(scaled.deployment?.id ?? '');
    const replicas = () =>
      events().map(({ metadata: { services, rollingOut } }) => [
        services[1].replicas,
        rollingOut?.deployment,
      ]);
    await eventually(() =>
      expect(replicas()).toEqual([
        [1, undefined],
        [1, scaled.deployment?.id],
        [2, undefined],
      ]),
    );
    expect(heard.ended).toBe(false);
    expect(others.events()).toHaveLength(1);

    // Who knows how it is, is told of the next change only.
    const later = watch(guest(), events().at(-1)?.id);
    await eventually(() => expect(later.heard.text).toContain('retry'));
    const update = { ...dev, variables: { GREETING: 'hello', MORE: 'yes' } };
    const changed = await bench.call(schedulerRpc.updateEnvironment, update);
    await succeed(changed.deployment?.id ?? '');
    await eventually(() => expect(later.events()).toHaveLength(2));
    expect(later.events()[0].metadata).toMatchObject({ configuration: 2, variables: { GREETING: 'hello' } });
    expect(later.events()[1].metadata).toMatchObject({ configuration: 3, variables: update.variables });
    expect(events().slice(-2)).toEqual(later.events());
    await Promise.all([stop(), later.stop(), others.stop()]);
  });

  it('is out of reach for other environments, by the public door, and from the machine', async () => {
    const { NetworkSettings: settings } = (
      JSON.parse(await docker('inspect', wayIn())) as {
        NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
      }[]
    )[0];
    const inDev = settings.Networks[`berth-${bench.installation}-${dev.project}-dev`].IPAddress;
    const own = settings.Networks[wayIn()].IPAddress;
    // Its own environment's is at that address for a guest of dev, and for no other.
    expect(JSON.parse((await say(guest(), requestOf('/v1', []), [inDev, 8480])).body)).toMatchObject(dev);
    const isolated = process.getuid?.() === 0;
    if (isolated) await applyIsolation(bench.installation);
    try {
      const request = requestOf('/v1', []);
      expect(JSON.parse((await ask(guest(), '/v1')).body)).toMatchObject(dev);
      for (const host of isolated ? [inDev, own] : [own])
        expect((await say(guest('staging'), request, [host, 8480])).body).not.toContain('"variables"');
    } finally {
      if (isolated) await removeIsolation(bench.installation);
    }
    const heard = async (url: string, headers: Record<string, string>) => {
      const { stdout } = await run('curl', [
        ...['-s', '-m', '5', url],
        ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      ]);
      return (JSON.parse(stdout) as Problem).code;
    };
    const lie = { 'x-berth-remote': inDev, 'x-forwarded-for': inDev };
    expect(await heard(`http://127.0.0.1:${port}/v1`, { ...lie, host: 'metadata.berth' })).toBe('NOT_FOUND');
    expect(await heard(`http://${own}:8480/v1`, lie)).toBe('NOT_FOUND');
  });

  it('does not take the way in for an instance when it is led to itself', async () => {
    // As where the address of an instance that has gone is the way in's own by now.
    const places = new SwarmGuestPlaces(connectDocker(bench.dockerHost), bench.installation);
    const network = `berth-${bench.installation}-${dev.project}-dev`;
    const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
    const own = (await docker('inspect', wayIn(), '-f', format)).trim();
    expect(await places.of(own)).toBeNull();
    expect(await places.of(await addressOf(guest()))).toEqual(dev);
  });

  it('tells who watches also when the database could not be heard for a while', async () => {
    const { events, stop } = watch(guest('staging'));
    await eventually(() => expect(events()).toHaveLength(1));
    const { rowCount } = await bench.sql.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN "environments_%'`,
    );
    expect(rowCount).toBe(1);
    const change = `UPDATE environments SET configuration = configuration + 1 WHERE project = $1 AND name = $2`;
    await bench.sql.query(change, [staging.project, staging.environment]);
    await eventually(() => expect(events().at(-1)?.metadata.configuration).toBe(2));
    await stop();
  });

  it('bounds who watches, and goes on answering', async () => {
    const request = requestOf('/v1/watch', []);
    const one = '{ printf "%s" "$REQUEST"; sleep 60; } | nc metadata.berth 8480 >/tmp/watch-$i 2>&1 &';
    const script = `for i in $(seq 64); do ${one} done; true`;
    const start = ['exec', '--detach', '--env', `REQUEST=${request}`, guest('staging'), 'sh', '-c'];
    await docker(...start, `${script}; wait`);
    await eventually(async () => {
      const heard = await docker('exec', guest('staging'), 'sh', '-c', 'cat /tmp/watch-*');
      expect(heard.match(/^event: metadata$/gm)).toHaveLength(64);
    });
    const answer = await ask(guest('staging'), '/v1/watch');
    expect(answer.status).toBe(429);
    expect((JSON.parse(answer.body) as Problem).code).toBe('TOO_MANY_REQUESTS');
    expect(await read(guest('staging'))).toMatchObject(staging);
    expect((await read(guest())).environment).toBe('dev');
  });

  it('is answered by another scheduler when the one that served is gone, and watched again', async () => {
    const killed = await bench.startProcess();
    const first = watch(guest());
    await eventually(() => expect(first.events()).toHaveLength(1));
    await bench.addScheduler();
    await killed.kill('SIGKILL');
    await eventually(() => expect(first.heard.ended).toBe(true));
    const { id, metadata } = first.events()[0];
    await eventually(async () => expect(await read(guest())).toEqual(metadata));
    const again = watch(guest(), id);
    await eventually(() => expect(again.heard.text).toContain('retry'));
    const scaled = await bench.call(schedulerRpc.scaleService, { ...dev, service: 'web', replicas: 1 });
    await succeed(scaled.deployment?.id ?? '');
    await eventually(() => expect(again.events().at(-1)?.metadata.services[1].replicas).toBe(1));
    expect(again.events().map((event) => event.id)).not.toContain(id);
    await again.stop();
  });

  async function addressOf(container: string): Promise<string> {
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
    return (await docker('inspect', container, '-f', format)).trim().split(' ')[0];
  }
});
