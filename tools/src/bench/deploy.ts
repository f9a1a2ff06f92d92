import { setTimeout as delay } from 'node:timers/promises';
import { freePort, runningProcess, SERVICE_NAMES, type Home, type HostSettings } from '@berth/host';
import { BenchApi } from './bench-api.js';
import { startBenchPlatform, type BenchPlatform } from './bench-platform.js';
import { engineRequest } from './engine-api.js';
import { describe, median } from './figures.js';
import { firstAnswer } from './first-answer.js';
import { memoryOf } from './memory.js';

const ROUNDS = 10;
const BAR = 1.25;

/**
 * From asking for a deploy to the first 200 of the new service, image present: through Berth (policy, quota and audit
 * on), and by the engine's own API with the same spec, in turn on one machine. A platform of its own, gone afterwards.
 */
async function main(): Promise<void> {
  const bench = await startBenchPlatform();
  try {
    tellMemory(bench.home);
    await compare(bench);
  } finally {
    await bench.remove();
  }
}

function tellMemory(home: Home): void {
  console.log('memory at rest, MiB:');
  let total = 0;
  for (const name of SERVICE_NAMES) {
    const pid = runningProcess(home.pidFile(name))?.pid;
    if (pid === undefined) continue;
    const { rss, pss } = memoryOf(pid);
    total += pss;
    console.log(`  ${name.padEnd(15)} RSS ${rss.toFixed(0).padStart(4)}   PSS ${pss.toFixed(0).padStart(4)}`);
  }
  console.log(`  all six                    PSS ${total.toFixed(0).padStart(4)}`);
}

async function compare(bench: BenchPlatform): Promise<void> {
  const api = new BenchApi(bench.platform);
  const berth: number[] = [];
  const engine: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const environment = `bench-${round}`;
    await api.makeEnvironment(environment);
    const { milliseconds, service } = await throughBerth(bench, api, environment);
    berth.push(milliseconds);
    engine.push(await byTheEngine(bench.settings, service));
    await api.removeEnvironment(environment);
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
  { settings, platform }: BenchPlatform,
  api: BenchApi,
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
  const deployment = await api.deploy(environment, compose);
  await firstAnswer({ port });
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
  await api.succeeded(deployment, 50);
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
    await firstAnswer({ port });
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

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
