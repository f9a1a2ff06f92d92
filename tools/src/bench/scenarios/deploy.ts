import { setTimeout as delay } from 'node:timers/promises';
import { engineRequest } from '../engine-api.js';
import { figure, ratio, type Figure } from '../figures.js';
import { firstAnswer } from '../first-answer.js';
import { doorOf, HEALTHCHECK, webFile, type Bench, type Scenario } from '../scenario.js';
import { Twin, type EngineSpec } from '../twin.js';

const BAR = 1.25;
const LIMITS = "deploy: { resources: { limits: { cpus: '0.5', memory: 64M } } }";

interface Sides {
  /** The first deploy right after the environment was made. */
  atOnce: number[];
  create: { berth: number[]; engine: number[] };
  update: { berth: number[]; engine: number[] };
}

/**
 * From asking to the first 200 of what was asked for: through Berth (policy, quota, audit, and the way in that people ask
 * at), and by the engine's own API with the same spec. The environment and the network are there beforehand, and each
 * has whoever asks in it. The sides take turns at being first.
 */
async function sides(bench: Bench, more: string[]): Promise<Sides> {
  const measured: Sides = {
    atOnce: [],
    create: { berth: [], engine: [] },
    update: { berth: [], engine: [] },
  };
  const spec = await specOf(bench, more);
  for (let round = 0; round < bench.rounds; round += 1) {
    const turns = [
      () => throughBerth(bench, more, round, measured),
      () => byTheEngine(bench, spec, `${bench.platform.installation}-twin-${round}`, measured),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  return measured;
}

async function throughBerth(
  bench: Bench,
  more: string[],
  round: number,
  { atOnce, create, update }: Sides,
): Promise<void> {
  const { api } = bench;
  const environment = `bench-deploy-${round}`;
  await api.makeEnvironment(environment);
  await wayInJoined(bench, environment);
  create.berth.push(await toFirstAnswer(bench, environment, webFile(bench, 'one', ...more), 'one'));
  update.berth.push(await toFirstAnswer(bench, environment, webFile(bench, 'two', ...more), 'two'));
  await api.removeEnvironment(environment);
  const fresh = `bench-at-once-${round}`;
  await api.makeEnvironment(fresh);
  atOnce.push(await toFirstAnswer(bench, fresh, webFile(bench, 'one', ...more), 'one'));
  await api.removeEnvironment(fresh);
}

/** From the POST to the first 200 with these words. Ends with the deployment. */
async function toFirstAnswer(
  bench: Bench,
  environment: string,
  compose: string,
  words: string,
): Promise<number> {
  const started = performance.now();
  const deployment = await bench.api.deploy(environment, compose);
  await firstAnswer(doorOf(bench, environment), words);
  const milliseconds = performance.now() - started;
  await bench.api.succeeded(deployment);
  return milliseconds;
}

/** Until the way in is in the environment's network, as it is a moment after the environment was made. */
async function wayInJoined({ platform, settings }: Bench, environment: string): Promise<void> {
  const container = `/containers/berth-${platform.installation}-ingress/json`;
  for (;;) {
    const { NetworkSettings: network } = await engineRequest<{ NetworkSettings: { Networks: object } }>(
      ...([settings.dockerHost, 'GET', container] as const),
    );
    if (Object.keys(network.Networks).some((name) => name.includes(`-${environment}-`))) return;
    await delay(50);
  }
}

async function byTheEngine(
  { settings, platform }: Bench,
  spec: EngineSpec,
  name: string,
  { create, update }: Sides,
): Promise<void> {
  const twin = await Twin.prepare(settings.dockerHost, spec, name, `${platform.registry}/demo/hello:1`);
  try {
    create.engine.push(await twin.create('one'));
    update.engine.push(await twin.update('two'));
  } finally {
    await twin.remove();
  }
}

/** The very spec that Berth makes of the file. */
async function specOf(bench: Bench, more: string[]): Promise<EngineSpec> {
  const { api, settings, platform } = bench;
  const environment = 'bench-deploy-spec';
  await api.makeEnvironment(environment);
  await api.succeeded(await api.deploy(environment, webFile(bench, 'zero', ...more)));
  const label = [`berth.installation=${platform.installation}`, `berth.environment=${environment}`];
  const filters = encodeURIComponent(JSON.stringify({ label }));
  const [{ Spec }] = await engineRequest<{ Spec: EngineSpec }[]>(
    ...([settings.dockerHost, 'GET', `/services?filters=${filters}`] as const),
  );
  await api.removeEnvironment(environment);
  return Spec;
}

async function run(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [kind, more] of [
    ['with a health check', [LIMITS, HEALTHCHECK]],
    ['without one', [LIMITS]],
  ] as const) {
    const { atOnce, create, update } = await sides(bench, [...more]);
    figures.push(
      figure(`first deploy, ${kind}, to first 200`, 'ms', create.berth),
      figure(`docker service create, ${kind}, to first 200`, 'ms', create.engine),
      ratio(`first deploy beside service create, ${kind}`, create.berth, create.engine, BAR),
      figure(`first deploy at once after its environment, ${kind}`, 'ms', atOnce),
      figure(`update, ${kind}, to first 200`, 'ms', update.berth),
      figure(`docker service update, ${kind}, to first 200`, 'ms', update.engine),
      ratio(`update beside service update, ${kind}`, update.berth, update.engine, BAR),
    );
  }
  return figures;
}

export const deploy: Scenario = {
  name: 'deploy',
  about: "a deploy to its first 200, beside the engine's own create and update",
  run,
};
