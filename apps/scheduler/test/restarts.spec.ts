import { schedulerRpc, type DecisionRequest, type Environment } from '@berth/contracts';
import { docker, eventually } from '@berth/testing';
import { webImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';
import { sideBySide } from './side-by-side.js';

// Several containers each, and what ends is started anew by the engine after a pause of its own.
jest.setTimeout(180_000);
const SOON = { timeout: 40_000, interval: 200 };

let bench: SchedulerBench;

const beside = sideBySide(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 1 });
  await bench.addScheduler();
  bench.neighbours.images = { web: await webImage('restarts-web', 'one') };
});
afterAll(() => bench.stop());

interface Place {
  project: string;
  environment: string;
}

const TWO = 'services: { web: { image: web, ports: ["8080"] }, worker: { image: web } }';

/** By project: the instances that its deployment brought. */
const broughtBy = new Map<string, string[]>();

async function running(): Promise<Place> {
  const place = await bench.shop();
  const { id } = await bench.deploy(place, TWO);
  expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
  broughtBy.set(place.project, (await judgedIn(place)) ?? []);
  return place;
}

function labels({ project, environment }: Place, service: string): string[] {
  const wanted = { installation: bench.installation, project, environment, service };
  return Object.entries(wanted).flatMap(([name, value]) => ['--filter', `label=berth.${name}=${value}`]);
}

const containers = async (place: Place, service: string): Promise<string[]> =>
  (await docker(bench.dockerHost, 'ps', '--quiet', '--no-trunc', ...labels(place, service)))
    .split('\n')
    .filter(Boolean);

/** Ends the instances of a service as a crash would. */
async function crash(place: Place, service: string): Promise<string[]> {
  const present = await containers(place, service);
  expect(present).not.toEqual([]);
  await docker(bench.dockerHost, 'kill', ...present);
  return present;
}

const startedAnew = (place: Place, service: string, before: string[]): Promise<string> =>
  eventually(async () => {
    const [found] = (await containers(place, service)).filter((id) => !before.includes(id));
    expect(found).toBeDefined();
    return found;
  }, SOON);

const get = (place: Place): Promise<Environment> => bench.call(schedulerRpc.getEnvironment, place);
const haltedIn = async (place: Place): Promise<string[]> =>
  (await get(place)).halted.map(({ service }) => service);
const asked = (place: Place, service: string): DecisionRequest[] =>
  bench.neighbours.asked.filter(
    ({ action, hook, resource }) =>
      action === 'instance.run' && hook === 'after' && resource.id === `${place.project}.dev.${service}`,
  );
const deniedRecords = ({ project }: Place) =>
  bench.recordsOf(project).filter(({ action, outcome }) => action === 'instance.run' && outcome === 'denied');

/** Denies instances of a service as they run. Answers how to allow them again. */
function deny({ project }: Place, service: string, id = 'no-more'): () => void {
  bench.neighbours.decide.set(project, ({ action, hook, resource }) =>
    action === 'instance.run' && hook === 'after' && resource.id.endsWith(`.${service}`)
      ? { allowed: false, policies: [{ id, message: 'Not any more.' }] }
      : {},
  );
  return () => bench.neighbours.decide.delete(project);
}

const judgedIn = async ({ project }: Place): Promise<string[] | null> => {
  const { rows } = await bench.sql.query<{ judged: string[] | null }>(
    'SELECT judged FROM environments WHERE project = $1',
    [project],
  );
  return rows[0].judged;
};

/** What was judged is written down, with what came of it: so many of the instances are others than the deployment brought. */
async function judgedAnew(place: Place, count: number): Promise<void> {
  const brought = broughtBy.get(place.project) ?? [];
  await eventually(async () => {
    const judged = (await judgedIn(place)) ?? [];
    expect(judged.filter((id) => !brought.includes(id))).toHaveLength(count);
  }, SOON);
}

async function halted(place: Place, service: string): Promise<void> {
  await eventually(async () => {
    expect(await haltedIn(place)).toEqual([service]);
    expect(await containers(place, service)).toEqual([]);
  }, SOON);
}

beside('an instance that the engine starts anew is judged as it runs, once, and goes on', async () => {
  const place = await running();
  expect(asked(place, 'web')).toHaveLength(1);
  const before = await crash(place, 'web');
  const anew = await startedAnew(place, 'web', before);
  await eventually(() => expect(asked(place, 'web')).toHaveLength(2), SOON);
  const [first, second] = asked(place, 'web');
  expect(second.context).toEqual(first.context);
  expect(second.principal).toEqual({ user: 'ann', tokenId: null });
  // Whole rounds later, in which another one was judged, it has not been asked about again.
  await crash(place, 'worker');
  await eventually(() => expect(asked(place, 'worker')).toHaveLength(2), SOON);
  await judgedAnew(place, 2);
  expect(asked(place, 'web')).toHaveLength(2);
  expect(await containers(place, 'web')).toEqual([anew]);
  expect(await haltedIn(place)).toEqual([]);
});

beside('one that policy denies ends with its service, is told of once, and the rest goes on', async () => {
  const place = await running();
  const allow = deny(place, 'web');
  await crash(place, 'web');
  await halted(place, 'web');
  expect(await containers(place, 'worker')).toHaveLength(1);
  const [{ since, policies }] = (await get(place)).halted;
  expect(policies).toEqual([{ id: 'no-more', message: 'Not any more.' }]);
  await eventually(() => expect(deniedRecords(place)).toHaveLength(1));
  const [record] = deniedRecords(place);
  expect(record).toMatchObject({
    ...{ actor: 'ann', code: 'POLICY_DENIED', policies, resource: { id: `${place.project}.dev.web` } },
    reason: expect.stringContaining('no-more (web): Not any more.') as string,
  });
  expect(record.decisions).toHaveLength(2);
  const told = () => bench.eventsOf(place.project).filter(({ type }) => type === 'service.halted.v1');
  await eventually(() => expect(told()).toHaveLength(1));
  expect(told()[0].data).toEqual({ ...place, service: 'web', since, policies });
  // It is nobody's change, and stays so.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await get(place)).toMatchObject({ drift: null });
  expect(deniedRecords(place)).toHaveLength(1);
  expect(told()).toHaveLength(1);

  const restart = (): Promise<{ deployment: { id: string } | null }> =>
    bench.call(schedulerRpc.restartService, { ...place, service: 'web' });
  const denied = await restart();
  expect(await bench.finished(denied.deployment?.id ?? '')).toMatchObject({ status: 'denied' });
  // What ran before is brought back, and what was halted of it is halted again.
  await halted(place, 'web');
  allow();
  const allowed = await restart();
  expect(await bench.finished(allowed.deployment?.id ?? '')).toMatchObject({ status: 'succeeded' });
  expect(await haltedIn(place)).toEqual([]);
  expect(await containers(place, 'web')).toHaveLength(1);
});

beside('what was changed by hand is judged as it comes up', async () => {
  const place = await running();
  bench.neighbours.decide.set(place.project, ({ action, hook, context }) =>
    action === 'deployment.create' && hook === 'after' && (context.bindMounts as string[]).includes('/etc')
      ? { allowed: false, policies: [{ id: 'no-host-mounts', message: 'Not that.' }] }
      : {},
  );
  const name = (
    await docker(bench.dockerHost, 'service', 'ls', '--format', '{{.Name}}', ...labels(place, 'web'))
  ).trim();
  await docker(
    bench.dockerHost,
    ...['service', 'update', '--detach', '--no-resolve-image', '--quiet'],
    ...['--mount-add', 'type=bind,source=/etc,target=/host', name],
  );
  await halted(place, 'web');
  await bench.call(schedulerRpc.setOnDrift, { ...place, onDrift: 'mend' });
  await eventually(async () => {
    expect(await get(place)).toMatchObject({ halted: [], drift: null });
    expect(await containers(place, 'web')).toHaveLength(1);
  }, SOON);
});

beside('who deployed it may be gone: that takes no application down', async () => {
  const place = await running();
  deny(place, 'web', 'principal-unknown');
  const before = await crash(place, 'web');
  const anew = await startedAnew(place, 'web', before);
  await eventually(() => expect(asked(place, 'web')).toHaveLength(2), SOON);
  await judgedAnew(place, 1);
  expect(await containers(place, 'web')).toEqual([anew]);
  expect(deniedRecords(place)).toEqual([]);
});

beside('where policy has no word yet, it is asked again until it has', async () => {
  const place = await running();
  deny(place, 'web', 'policy-broken');
  const before = await crash(place, 'web');
  await startedAnew(place, 'web', before);
  await eventually(() => expect(asked(place, 'web').length).toBeGreaterThan(3), SOON);
  expect(await haltedIn(place)).toEqual([]);
  deny(place, 'web');
  await halted(place, 'web');
});

beside('what a scheduler wrote down before it was killed, another one does', async () => {
  const place = await running();
  const since = new Date().toISOString();
  await bench.sql.query('UPDATE environments SET halted = $2 WHERE project = $1', [
    place.project,
    JSON.stringify([{ service: 'worker', since, policies: [] }]),
  ]);
  await halted(place, 'worker');
  expect(await containers(place, 'web')).toHaveLength(1);
});

beside(
  'what ran before instances were kept account of is left as it is, until it is started anew',
  async () => {
    const place = await running();
    deny(place, 'web');
    await bench.sql.query('UPDATE environments SET judged = NULL WHERE project = $1', [place.project]);
    await eventually(async () => {
      expect(await judgedIn(place)).toHaveLength(2);
    }, SOON);
    expect(asked(place, 'web')).toHaveLength(1);
    await crash(place, 'web');
    await halted(place, 'web');
  },
);
