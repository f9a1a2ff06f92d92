import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  bringDown,
  bringUp,
  docker,
  freePort,
  Home,
  readHostSettings,
  removeWorkloads,
  runningProcess,
  SERVICE_NAMES,
  stopServices,
  type HostSettings,
  type Platform,
} from '@berth/host';
import { prepareMachine } from '../setup/prepare.js';
import { deploySample } from '../setup/sample.js';
import { engineRequest } from './engine-api.js';
import { describe, median } from './figures.js';
import { memoryOf } from './memory.js';

const ROUNDS = 10;
const BAR = 1.25;

/**
 * From asking for a deploy to the first 200 of the new service, image present: through Berth (policy, quota and audit
 * on), and by the engine's own API with the same spec, in turn on one machine. A platform of its own, gone afterwards.
 */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  chmodSync(folder, 0o711);
  const settings: HostSettings = {
    ...readHostSettings(),
    home: join(folder, 'home'),
    config: join(folder, 'config'),
  };
  settings.ports = Object.fromEntries(
    Object.keys(settings.ports).map((name) => [name, 0]),
  ) as HostSettings['ports'];
  const home = new Home(settings.home);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  await prepareMachine(home, settings, ['platform', 'sample'], progress);
  const platform = await bringUp(home, settings, { progress });
  try {
    await deploySample(home, settings, platform, progress);
    console.log('memory at rest, MiB:');
    let total = 0;
    for (const name of SERVICE_NAMES) {
      const pid = runningProcess(home.pidFile(name))?.pid;
      if (pid === undefined) continue;
      const { rss, pss } = memoryOf(pid);
      total += pss;
      console.log(
        `  ${name.padEnd(15)} RSS ${rss.toFixed(0).padStart(4)}   PSS ${pss.toFixed(0).padStart(4)}`,
      );
    }
    console.log(`  all six                    PSS ${total.toFixed(0).padStart(4)}`);
    await compare(settings, platform);
  } finally {
    await stopServices(home);
    await removeWorkloads(settings.dockerHost, platform.installation);
    await docker(settings.dockerHost, 'image', 'rm', '--force', `${platform.registry}/demo/hello:1`).catch(
      () => undefined,
    );
    await bringDown(home, settings);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function compare(settings: HostSettings, platform: Platform): Promise<void> {
  const berth: number[] = [];
  const engine: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const environment = `bench-${round}`;
    const base = `/v1/projects/sample/environments`;
    await api(platform, 'POST', base, { name: environment });
    const { milliseconds, service } = await throughBerth(settings, platform, environment);
    berth.push(milliseconds);
    engine.push(await byTheEngine(settings, service));
    await api(platform, 'DELETE', `${base}/${environment}`);
  }
  console.log(describe('POST of a deploy to first 200', berth));
  console.log(describe('service create to first 200  ', engine));
  const ratio = median(berth) / median(engine);
  console.log(`ratio ${ratio.toFixed(2)} (bar: at most ${BAR})`);
}

interface EngineService {
  ID: string;
  Spec: {
    Name: string;
    Labels: Record<string, string>;
    TaskTemplate: { ContainerSpec: object };
    EndpointSpec: { Ports: { PublishedPort: number }[] };
  };
}

async function throughBerth(
  settings: HostSettings,
  platform: Platform,
  environment: string,
): Promise<{ milliseconds: number; service: EngineService }> {
  const port = await freePort();
  const compose = `
services:
  web:
    image: ${platform.registry}/demo/hello:1
    command: [httpd, -f, -p, '8080', -h, /srv/api]
    ports: ['${port}:8080']
    stop_grace_period: 1s
`;
  const started = performance.now();
  await api(platform, 'POST', `/v1/projects/sample/environments/${environment}/deployments`, { compose });
  await answers(port);
  const milliseconds = performance.now() - started;
  const filters = encodeURIComponent(
    JSON.stringify({
      label: [`berth.installation=${platform.installation}`, `berth.environment=${environment}`],
    }),
  );
  const [service] = await engineRequest<EngineService[]>(
    settings.dockerHost,
    'GET',
    `/services?filters=${filters}`,
  );
  await finished(platform, environment);
  return { milliseconds, service };
}

/**
 * The very spec that Berth made, under another name and at another port, on a new network: setting up the first container
 * of a network takes the engine some tenths of a second, and Berth's environment is new as well. (To make the network is
 * part of Berth's time, and not of the engine's.)
 */
async function byTheEngine(settings: HostSettings, { Spec }: EngineService): Promise<number> {
  const { dockerHost } = settings;
  const port = await freePort();
  const name = `${Spec.Name}-twin`;
  const network = await engineRequest<{ Id: string }>(dockerHost, 'POST', '/networks/create', {
    ...{ Name: name, Driver: 'overlay', Attachable: true, CheckDuplicate: true },
  });
  const spec = {
    ...Spec,
    Name: name,
    // Without labels: a twin is nobody's guest, and the scheduler leaves it alone.
    Labels: {},
    TaskTemplate: { ...Spec.TaskTemplate, Networks: [{ Target: network.Id }] },
    EndpointSpec: { ...Spec.EndpointSpec, Ports: [{ ...Spec.EndpointSpec.Ports[0], PublishedPort: port }] },
  };
  const started = performance.now();
  const { ID } = await engineRequest<{ ID: string }>(dockerHost, 'POST', '/services/create', spec);
  try {
    await answers(port);
    return performance.now() - started;
  } finally {
    await engineRequest(dockerHost, 'DELETE', `/services/${ID}`);
    await containersGone(settings, ID);
    await removeNetwork(dockerHost, network.Id);
  }
}

/** The engine refuses while it still takes the last container's end off the network. */
async function removeNetwork(dockerHost: string, id: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await engineRequest(dockerHost, 'DELETE', `/networks/${id}`);
    } catch (error) {
      if (tries === 100) throw error;
      await delay(100);
    }
  }
}

async function containersGone(settings: HostSettings, serviceId: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.swarm.service.id=${serviceId}`] }));
  while (
    (await engineRequest<unknown[]>(settings.dockerHost, 'GET', `/containers/json?filters=${filters}`))
      .length > 0
  ) {
    await delay(50);
  }
}

async function api<T>(platform: Platform, method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${platform.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${platform.adminToken}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function finished(platform: Platform, environment: string): Promise<void> {
  for (;;) {
    const path = `/v1/projects/sample/environments/${environment}/deployments`;
    const { items } = await api<{ items: { status: string; reason: string | null }[] }>(
      platform,
      'GET',
      path,
    );
    if (items[0].status === 'succeeded') return;
    if (!['pending', 'running'].includes(items[0].status))
      throw new Error(`${items[0].status}: ${items[0].reason}`);
    await delay(50);
  }
}

/** Until the port answers 200; asks every 5 ms, on a connection of its own. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const status = await new Promise<number | undefined>((resolve) => {
      get({ host: '127.0.0.1', port, path: '/', agent: false, timeout: 1_000 }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', () => resolve(undefined));
    });
    if (status === 200) return;
    await delay(5);
  }
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
