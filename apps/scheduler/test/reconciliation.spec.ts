import { schedulerRpc, secretRpc, type DriftFinding, type Environment } from '@berth/contracts';
import { docker, eventually } from '@berth/testing';
import { textAt, webImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';
import { sideBySide } from './side-by-side.js';

// Several containers each, one after the other, and several such cases at a time.
jest.setTimeout(180_000);

let bench: SchedulerBench;

const beside = sideBySide(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 0.5 });
  bench.neighbours.images = { web: await webImage('web-one', 'one') };
});
afterAll(() => bench.stop());

interface Place {
  project: string;
  environment: string;
}

const WEB = 'services: { web: { image: web, ports: ["8080"], environment: { LEVEL: info } } }';

async function running(): Promise<Place> {
  const place = await bench.shop();
  const { id } = await bench.deploy(place, WEB);
  expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
  return place;
}

/** Of the only service. */
async function swarmName({ project, environment }: Place): Promise<string> {
  const labels = { installation: bench.installation, project, environment };
  const filters = Object.entries(labels).flatMap(([name, value]) => [
    '--filter',
    `label=berth.${name}=${value}`,
  ]);
  return (await docker(bench.dockerHost, 'service', 'ls', '--format', '{{.Name}}', ...filters)).trim();
}

const byHand = (...words: string[]): Promise<string> => docker(bench.dockerHost, 'service', ...words);
/** The engine writes to a service until its update is over: the docker command loses against that. */
const updated = (name: string): Promise<void> =>
  eventually(
    async () =>
      expect(await byHand('inspect', '--format', '{{.UpdateStatus.State}}', name)).toContain('completed'),
    { timeout: 20_000 },
  );
const get = (place: Place): Promise<Environment> => bench.call(schedulerRpc.getEnvironment, place);
const found = (place: Place): Promise<DriftFinding[]> =>
  eventually(
    async () => {
      const { drift } = await get(place);
      expect(drift).not.toBeNull();
      return drift?.findings ?? [];
    },
    { timeout: 20_000 },
  );
const typesOf = ({ project }: Place): string[] =>
  bench
    .eventsOf(project)
    .map(({ type }) => type)
    .filter((type) => type.startsWith('environment.drift'));
const mendings = async (place: Place): Promise<string[]> => {
  const { items } = await bench.call(schedulerRpc.listDeployments, place);
  return items.filter(({ cause }) => cause === 'mend').map(({ status }) => status);
};

beside('what was changed by hand is found, told once, and gone when it is put right by hand', async () => {
  const place = await running();
  const name = await swarmName(place);
  await byHand('update', '--detach', '--env-add', 'LEVEL=debug', name);
  expect(await found(place)).toEqual([
    { service: 'web', path: 'environment.LEVEL', wanted: 'info', found: 'debug' },
  ]);
  const prod = { project: place.project, environment: 'prod' };
  await bench.call(schedulerRpc.createEnvironment, { project: place.project, name: 'prod' });
  const parity = await bench.call(schedulerRpc.parity, { ...place, with: prod.environment });
  expect(parity.differences).toContainEqual({
    ...{ service: 'web', path: 'environment.LEVEL', from: 'info', to: 'debug' },
    ...{ kind: 'drift', environment: 'dev' },
  });
  await expect(bench.call(schedulerRpc.mend, prod)).rejects.toMatchObject({ code: 'CONFLICT' });
  await updated(name);
  await byHand('update', '--detach', '--env-add', 'LEVEL=info', name);
  await eventually(async () => expect((await get(place)).drift).toBeNull(), { timeout: 20_000 });
  await eventually(() =>
    expect(typesOf(place)).toEqual(['environment.drifted.v1', 'environment.drift_ended.v1']),
  );
  expect(await mendings(place)).toEqual([]);
});

beside('where the environment says so, it is mended without a failed request', async () => {
  const place = await running();
  await bench.call(schedulerRpc.setOnDrift, { ...place, onDrift: 'mend' });
  await byHand('update', '--detach', '--env-add', 'LEVEL=debug', '--replicas', '3', await swarmName(place));
  await eventually(async () => expect(await mendings(place)).toEqual(['succeeded']), { timeout: 40_000 });
  await eventually(async () => expect((await get(place)).drift).toBeNull(), { timeout: 20_000 });
  const environment = (
    await byHand(
      'inspect',
      '--format',
      '{{json .Spec.TaskTemplate.ContainerSpec.Env}}',
      await swarmName(place),
    )
  ).trim();
  expect(JSON.parse(environment)).toContain('LEVEL=info');
  const [{ replicas, ports }] = await bench.services(place);
  expect(replicas).toEqual({ running: 1, desired: 1 });
  expect(await textAt(ports[0].url ?? '')).toBe('one');
  const asked = bench.neighbours.asked.filter(
    ({ action, resource }) => action === 'deployment.create' && resource.project === place.project,
  );
  expect(asked.length).toBeGreaterThanOrEqual(3);
});

beside('a service that was removed by hand comes back', async () => {
  const place = await running();
  await bench.call(schedulerRpc.setOnDrift, { ...place, onDrift: 'mend' });
  await byHand('rm', await swarmName(place));
  await eventually(async () => expect(await mendings(place)).toEqual(['succeeded']), { timeout: 40_000 });
  const [{ replicas, ports }] = await bench.services(place);
  expect(replicas).toEqual({ running: 1, desired: 1 });
  expect(await textAt(ports[0].url ?? '')).toBe('one');
});

beside('a secret that was changed in a variable is found, and not told', async () => {
  const place = await bench.shop();
  const value = Buffer.from('the real key').toString('base64');
  await bench.call(secretRpc.set, { ...place, name: 'KEY', value });
  const { id } = await bench.deploy(
    place,
    'services: { web: { image: web, x-berth: { secret_variables: [KEY] } } }',
  );
  expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
  await byHand('update', '--detach', '--env-add', 'KEY=another key', await swarmName(place));
  expect(await found(place)).toEqual([
    { service: 'web', path: 'environment.KEY', wanted: '(the secret)', found: '(something else)' },
  ]);
});

beside('what policy does not allow any more is not mended, and that is no loop', async () => {
  const place = await running();
  bench.neighbours.decide.set(place.project, ({ action }) => ({ allowed: action !== 'deployment.create' }));
  await bench.call(schedulerRpc.setOnDrift, { ...place, onDrift: 'mend' });
  await byHand('scale', '--detach', `${await swarmName(place)}=2`);
  await found(place);
  const denials = () =>
    bench
      .recordsOf(place.project)
      .filter(({ action, outcome }) => action === 'deployment.create' && outcome === 'denied').length;
  await eventually(() => expect(denials()).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
  expect(denials()).toBeLessThan(6);
  const types = (): string[] => bench.eventsOf(place.project).map(({ type }) => type);
  await eventually(() => expect(types()).toContain('environment.not_mended.v1'));
  expect((await get(place)).drift?.findings).toEqual([
    { service: 'web', path: 'replicas', wanted: '1', found: '2' },
  ]);
});
