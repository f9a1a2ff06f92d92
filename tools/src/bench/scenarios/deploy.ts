import { engineRequest } from '../engine-api.js';
import { figure, ratio, type Figure } from '../figures.js';
import { firstAnswer } from '../first-answer.js';
import { doorOf, HEALTHCHECK, timed, webFile, type Bench, type Scenario } from '../scenario.js';
import { Twin, type EngineSpec } from '../twin.js';

const BAR = 1.25;
const LIMITS = "deploy: { resources: { limits: { cpus: '0.5', memory: 64M } } }";

interface Sides {
  create: { berth: number[]; engine: number[] };
  update: { berth: number[]; engine: number[] };
}

/**
 * From asking to the first 200 of what was asked for: through Berth (policy, quota, audit, and the way in that people ask
 * at), and by the engine's own API with the same spec. Berth's environment is new, and has its network to be made; the
 * engine's is there. The sides take turns at being first.
 */
async function sides(bench: Bench, more: string[]): Promise<Sides> {
  const measured: Sides = { create: { berth: [], engine: [] }, update: { berth: [], engine: [] } };
  const spec = await specOf(bench, more);
  for (let round = 0; round < bench.rounds; round += 1) {
    const turns = [
      () => throughBerth(bench, more, `bench-deploy-${round}`, measured),
      () => byTheEngine(bench, spec, `${bench.platform.installation}-twin-${round}`, measured),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  return measured;
}

async function throughBerth(
  bench: Bench,
  more: string[],
  environment: string,
  { create, update }: Sides,
): Promise<void> {
  const { api } = bench;
  await api.makeEnvironment(environment);
  for (const [answer, { berth }] of [
    ['one', create],
    ['two', update],
  ] as const) {
    let deployment: { id: string } | undefined;
    berth.push(
      await timed(async () => {
        deployment = await api.deploy(environment, webFile(bench, answer, ...more));
        await firstAnswer(doorOf(bench, environment), answer);
      }),
    );
    if (deployment) await api.succeeded(deployment);
  }
  await api.removeEnvironment(environment);
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
    const { create, update } = await sides(bench, [...more]);
    figures.push(
      figure(`first deploy, ${kind}, to first 200`, 'ms', create.berth),
      figure(`docker service create, ${kind}, to first 200`, 'ms', create.engine),
      ratio(`first deploy beside service create, ${kind}`, create.berth, create.engine, BAR),
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
