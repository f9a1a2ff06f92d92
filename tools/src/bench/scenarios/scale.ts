import { setTimeout as delay } from 'node:timers/promises';
import { runningProcess } from '@berth/host';
import { cpuOf } from '../cpu.js';
import { figure, type Figure } from '../figures.js';
import { memoryOf } from '../memory.js';
import { HEALTHCHECK, timed, webFile, type Bench, type Scenario } from '../scenario.js';

const SIZES = [10, 100, 1_000];
const PER_ENVIRONMENT = 10;
const AT_ONCE = 4;
const REST_MS = 60_000;
const ENVIRONMENT = 'bench-scale';

/**
 * What operations on one environment take, and the scheduler at rest, while it knows 10, 100 and 1,000 services of other
 * environments: ten in each, without instances. Flat is the aim.
 */
async function run(bench: Bench): Promise<Figure[]> {
  const { api, progress } = bench;
  await api.makeEnvironment(ENVIRONMENT);
  await api.succeeded(await api.deploy(ENVIRONMENT, webFile(bench, 'first', HEALTHCHECK)));
  const figures: Figure[] = [];
  let known = 0;
  for (const size of SIZES) {
    const filling = await timed(() => fill(bench, known, size));
    progress(`scale: ${size} services known, after ${Math.round(filling / 1_000)} s`);
    known = size;
    figures.push(...(await operations(bench, size)), ...(await atRest(bench, size)));
  }
  return figures;
}

/** Deploys what is missing, a few environments at a time. */
async function fill({ api, platform }: Bench, from: number, to: number): Promise<void> {
  const compose = `services:\n${Array.from(
    { length: PER_ENVIRONMENT },
    (_, index) => `  s${index}: { image: ${platform.registry}/demo/hello:1, deploy: { replicas: 0 } }\n`,
  ).join('')}`;
  let next = from / PER_ENVIRONMENT;
  const one = async (): Promise<void> => {
    while (next < to / PER_ENVIRONMENT) {
      const environment = `bench-of-many-${next}`;
      next += 1;
      await api.makeEnvironment(environment);
      await api.succeeded(await api.deploy(environment, compose), 100);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function operations(bench: Bench, size: number): Promise<Figure[]> {
  const { api, rounds } = bench;
  const times: Record<'deploy' | 'scale' | 'services' | 'plan' | 'environments', number[]> = {
    ...{ deploy: [], scale: [], services: [], plan: [], environments: [] },
  };
  for (let round = 0; round < rounds; round += 1) {
    const compose = webFile(bench, `of-${size}-${round}`, HEALTHCHECK);
    times.plan.push(await timed(() => api.in(ENVIRONMENT, 'POST', '/plans', { compose })));
    times.deploy.push(await timed(async () => api.succeeded(await api.deploy(ENVIRONMENT, compose))));
    times.services.push(await timed(() => api.in(ENVIRONMENT, 'GET', '/services')));
    times.environments.push(await timed(() => api.call('GET', '/v1/projects/sample/environments')));
    for (const replicas of [2, 1]) {
      times.scale.push(
        await timed(async () => {
          const path = '/services/web/scale';
          const { deployment } = await api.in<{ deployment: { id: string } }>(
            ...([ENVIRONMENT, 'PUT', path, { replicas }] as const),
          );
          await api.succeeded(deployment);
        }),
      );
    }
  }
  const of = `with ${size} services`;
  return [
    figure(`${of}: deploy to its end`, 'ms', times.deploy),
    figure(`${of}: scale to its end`, 'ms', times.scale),
    figure(`${of}: list services`, 'ms', times.services),
    figure(`${of}: list environments`, 'ms', times.environments),
    figure(`${of}: plan`, 'ms', times.plan),
  ];
}

/** Over a minute in which nobody asks for anything. */
async function atRest({ home }: Bench, size: number): Promise<Figure[]> {
  const pid = runningProcess(home.pidFile('scheduler'))?.pid;
  if (pid === undefined) throw new Error('the scheduler does not run');
  const before = cpuOf(pid);
  await delay(REST_MS);
  const used = cpuOf(pid) - before;
  const { rss, pss } = memoryOf(pid);
  const of = `with ${size} services: scheduler at rest`;
  return [
    figure(`${of}, cpu`, '% of a core', (used / REST_MS) * 100),
    figure(`${of}, RSS`, 'MiB', rss),
    figure(`${of}, PSS`, 'MiB', pss),
  ];
}

export const scale: Scenario = {
  name: 'scale',
  about: 'time per operation, and the scheduler at rest, with 10, 100 and 1,000 services known',
  run,
};
