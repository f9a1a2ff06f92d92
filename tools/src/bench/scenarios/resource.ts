import { setTimeout as delay } from 'node:timers/promises';
import { Asker } from '../asker.js';
import { engineRequest } from '../engine-api.js';
import { figure, ratio, type Figure } from '../figures.js';
import { HEALTHCHECK, type Bench, type Scenario } from '../scenario.js';
import { Twin, type EngineSpec } from '../twin.js';

const BAR = 1.25;
const POLL_MS = 50;
const ENVIRONMENT = 'bench-resource';
const STORE = { name: 'store', port: 8080 };

/** What is asked for as a resource: it answers over HTTP, so that its first use is known to the millisecond. */
const entryOf = ({ platform }: Bench): string => `
description: Answers
image: ${platform.registry}/demo/hello
versions: ['1']
port: ${STORE.port}
service:
  entrypoint: [sh, -c, 'echo "$$ANSWER" > /dev/shm/index.html; exec httpd -f -p ${STORE.port} -h /dev/shm']
  environment: { ANSWER: one }
  ${HEALTHCHECK}
  stop_grace_period: 1s
variables: { URL: 'http://\${HOST}:\${PORT}' }
commands: { add_user: 'true', remove_user: 'true' }
`;

/**
 * From asking for a resource to the first answer that something which runs in the environment gets from it by its name,
 * beside a service that is made by the engine's own API with the same spec. The sides take turns at being first.
 */
async function run(bench: Bench): Promise<Figure[]> {
  const { api, platform, rounds } = bench;
  const { team } = await api.call<{ team: string }>('GET', '/v1/projects/sample');
  await api.call('PUT', `/v1/teams/${team}/catalog/answers`, { file: entryOf(bench) });
  await api.makeEnvironment(ENVIRONMENT);
  const quiet = `services: { app: { image: "${platform.registry}/demo/hello:1", command: [sleep, '1000'] } }`;
  await api.succeeded(await api.deploy(ENVIRONMENT, quiet));
  const [berth, engine]: [number[], number[]] = [[], []];
  const spec = await specOf(bench);
  for (let round = 0; round < rounds; round += 1) {
    const turns = [
      async () => void berth.push(await throughBerth(bench)),
      async () => void engine.push(await byTheEngine(bench, spec, round)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  await api.removeEnvironment(ENVIRONMENT);
  return [
    figure('resource added, to first use by what runs', 'ms', berth),
    figure('docker service create of the same, to first use', 'ms', engine),
    ratio('resource beside service create', berth, engine, BAR),
  ];
}

async function throughBerth(bench: Bench): Promise<number> {
  const { dockerHost } = bench.settings;
  const [{ Name: network }] = await engineRequest<{ Name: string }[]>(
    ...([dockerHost, 'GET', `/networks?filters=${ofEnvironment(bench)}`] as const),
  );
  const asker = await Asker.start(dockerHost, network, imageOf(bench), STORE);
  try {
    const started = Date.now();
    const deployment = await add(bench);
    const taken = (await asker.answered('one')) - started;
    await bench.api.succeeded(deployment);
    return taken;
  } finally {
    await asker.stop();
    await remove(bench);
  }
}

async function byTheEngine(bench: Bench, spec: EngineSpec, round: number): Promise<number> {
  const { settings, platform } = bench;
  const name = `${platform.installation}-store-${round}`;
  const twin = await Twin.prepare(settings.dockerHost, spec, name, imageOf(bench), STORE.name);
  try {
    return await twin.create('one');
  } finally {
    await twin.remove();
  }
}

/** The very spec that Berth makes of the entry. */
async function specOf(bench: Bench): Promise<EngineSpec> {
  await bench.api.succeeded(await add(bench));
  const [{ Spec }] = await engineRequest<{ Spec: EngineSpec }[]>(
    ...([
      bench.settings.dockerHost,
      'GET',
      `/services?filters=${ofEnvironment(bench, `berth.service=${STORE.name}`)}`,
    ] as const),
  );
  await remove(bench);
  return Spec;
}

async function add({ api }: Bench): Promise<{ id: string }> {
  const body = { entry: 'answers', name: STORE.name };
  const { deployment } = await api.in<{ deployment: { id: string } }>(
    ENVIRONMENT,
    'POST',
    '/resources',
    body,
  );
  return deployment;
}

/** Until its container is gone as well: it would answer in place of the next. */
async function remove(bench: Bench): Promise<void> {
  const { api, settings } = bench;
  await api.succeeded(await api.in<{ id: string }>(ENVIRONMENT, 'DELETE', `/resources/${STORE.name}`));
  const left = `/containers/json?filters=${ofEnvironment(bench, `berth.service=${STORE.name}`)}`;
  while ((await engineRequest<object[]>(settings.dockerHost, 'GET', left)).length > 0) await delay(POLL_MS);
}

function imageOf({ platform }: Bench): string {
  return `${platform.registry}/demo/hello:1`;
}

function ofEnvironment({ platform }: Bench, ...more: string[]): string {
  const label = [
    ...[`berth.installation=${platform.installation}`, `berth.environment=${ENVIRONMENT}`],
    ...more,
  ];
  return encodeURIComponent(JSON.stringify({ label }));
}

export const resource: Scenario = {
  name: 'resource',
  about: "a resource to its first use by what runs, beside the engine's own create",
  run,
};
