import { docker, type TestImage } from '@berth/testing';
import type { EngineDrift, EnvironmentRef } from '../src/engine/container-engine.js';
import { engineBench, webImage, type EngineBench } from './engine-bench.js';
import { sideBySide } from './side-by-side.js';

let bench: EngineBench;
let images: Record<string, TestImage>;

const beside = sideBySide(async () => {
  bench = await engineBench();
  const [one, two] = await Promise.all([webImage('web-one', 'one'), webImage('web-two', 'two')]);
  images = { one, two };
});
afterAll(() => bench.clean());

/** As much as a Compose file can say. */
const RICH = `
services:
  web:
    image: one
    command: [httpd, -f, -p, '8080', -h, /www]
    environment: { LEVEL: info, EMPTY: '' }
    ports: ['8080']
    labels: { team: shop }
    user: '1000:1000'
    read_only: true
    tmpfs: [/tmp]
    volumes: ['data:/data', 'more:/more:ro']
    healthcheck: { test: [CMD, 'true'], interval: 500ms, retries: 2, start_period: 100ms, timeout: 1s }
    stop_grace_period: 1s
    cap_drop: [CHOWN]
    deploy:
      labels: { tier: front }
      update_config: { parallelism: 1, delay: 100ms, order: stop-first }
      resources: { limits: { cpus: '0.5', memory: 64M, pids: 50 }, reservations: { memory: 16M } }
  plain: { image: two }
volumes: { data: , more: }
`;

async function running(environment: string): Promise<{
  drift: () => Promise<EngineDrift[]>;
  swarmName: (service: string) => Promise<string>;
}> {
  const target: EnvironmentRef = { project: 'shop', environment };
  const rollout = bench.rollout(RICH, images, target);
  expect((await bench.run(rollout)).outcome).toEqual({ state: 'running' });
  const swarmName = async (service: string): Promise<string> => {
    const filters = [
      'project=shop',
      `environment=${environment}`,
      `service=${service}`,
      `installation=${bench.installation}`,
    ];
    const options = filters.flatMap((filter) => ['--filter', `label=berth.${filter}`]);
    return (await docker(bench.dockerHost, 'service', 'ls', '--format', '{{.Name}}', ...options)).trim();
  };
  return { drift: async () => (await bench.engine.drift([rollout]))[0], swarmName };
}

beside('what a rollout left is no drift', async () => {
  const { drift } = await running('same');
  expect(await drift()).toEqual([]);
});

beside('what was changed with the docker command is told to the key', async () => {
  const { drift, swarmName } = await running('changed');
  const update = async (...options: string[]): Promise<void> =>
    void (await docker(bench.dockerHost, 'service', 'update', '--detach', ...options));
  await update(
    ...['--env-add', 'LEVEL=debug', '--env-add', 'MORE=1', '--limit-memory', '128M', '--replicas', '2'],
    ...['--label-add', 'tier=back', '--user', '0', '--cap-add', 'NET_ADMIN', '--host-add', 'db:10.0.0.1'],
    await swarmName('web'),
  );
  const found = await drift();
  expect(found).toEqual(
    [
      { path: 'CapabilityAdd', wanted: null, found: '["CAP_NET_ADMIN"]' },
      { path: 'Hosts', wanted: null, found: '["10.0.0.1 db"]' },
      { path: 'Labels.tier', wanted: 'front', found: 'back' },
      { path: 'environment.LEVEL', wanted: 'info', found: 'debug' },
      { path: 'environment.MORE', wanted: null, found: '1' },
      { path: 'limits.memoryBytes', wanted: '67108864', found: '134217728' },
      { path: 'replicas', wanted: '1', found: '2' },
      { path: 'user', wanted: '1000:1000', found: '0' },
    ].map((finding) => ({ service: 'web', ...finding })),
  );
});

beside('what is missing, and what is one too many', async () => {
  const { drift, swarmName } = await running('missing');
  const [web, plain] = [await swarmName('web'), await swarmName('plain')];
  await docker(bench.dockerHost, 'service', 'rm', plain);
  const labels = {
    installation: bench.installation,
    project: 'shop',
    environment: 'missing',
    service: 'web',
  };
  const options = Object.entries(labels).flatMap(([name, value]) => ['--label', `berth.${name}=${value}`]);
  const image = (
    await docker(
      bench.dockerHost,
      'service',
      'inspect',
      '--format',
      '{{.Spec.TaskTemplate.ContainerSpec.Image}}',
      web,
    )
  ).trim();
  const extra = `${bench.installation}-extra`;
  await docker(
    bench.dockerHost,
    'service',
    'create',
    '--detach',
    '--replicas',
    '0',
    '--name',
    extra,
    ...options,
    image,
  );
  expect(await drift()).toEqual([
    { service: 'plain', path: '', wanted: plain, found: null },
    { service: 'web', path: '', wanted: null, found: extra },
  ]);
});
