import { Load } from '@berth/testing';
import { figure, type Figure } from '../figures.js';
import { doorOf, HEALTHCHECK, webFile, type Bench, type Scenario } from '../scenario.js';

const CHANGES = 20;
const REQUESTS = 10_000;
const PER_SECOND = 200;

type Change = (bench: Bench, environment: string, round: number) => Promise<{ id: string }>;

const scaleTo =
  (replicas: number): Change =>
  async ({ api }, environment) =>
    (await api.in<{ deployment: { id: string } }>(environment, 'PUT', '/services/web/scale', { replicas }))
      .deployment;

function changesOf(more: string[]): Change[] {
  const update: Change = (bench, environment, round) =>
    bench.api.deploy(environment, webFile(bench, `answer-${round}`, ...more));
  const rollBack: Change = ({ api }, environment) => api.in(environment, 'POST', '/rollbacks', {});
  return [update, rollBack, update, scaleTo(3), update, rollBack, scaleTo(1)];
}

/** Updates, rollbacks and scales in turn while requests come in: how many of these fail. */
async function under(bench: Bench, name: string, more: string[]): Promise<Figure[]> {
  const environment = `bench-updates-${more.length}`;
  const { api, progress } = bench;
  await api.makeEnvironment(environment);
  await api.succeeded(await api.deploy(environment, webFile(bench, 'first', ...more)));
  const { port, host = '' } = doorOf(bench, environment);
  const load = new Load(port, host, PER_SECOND);
  const changes = changesOf(more);
  const started = performance.now();
  let round = 0;
  const due = (): number => ((performance.now() - started) / 1_000) * PER_SECOND;
  while (round < CHANGES || due() < REQUESTS) {
    await api.succeeded(await changes[round % changes.length](bench, environment, round));
    round += 1;
  }
  const { sent, failures } = await load.stop();
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  if (failed > 0) progress(`${name}: ${JSON.stringify(failures)}`);
  await api.removeEnvironment(environment);
  return [
    figure(`${name}: changes`, '', round),
    figure(`${name}: requests`, '', sent),
    figure(`${name}: failed requests`, '', failed, 0),
  ];
}

async function run(bench: Bench): Promise<Figure[]> {
  return [
    ...(await under(bench, 'without a health check', [])),
    ...(await under(bench, 'with a health check', [HEALTHCHECK])),
  ];
}

export const updates: Scenario = {
  name: 'updates',
  about: '20 updates, rollbacks and scales under 200 requests/s: none fails',
  run,
};
