import { schedulerRpc, type DecisionRequest, type EnvironmentReview } from '@berth/contracts';
import { docker, eventually } from '@berth/testing';
import { webImage } from './engine-bench.js';
import { principal, SchedulerBench } from './scheduler-bench.js';

// Several containers, one after the other.
jest.setTimeout(120_000);

interface Place {
  project: string;
  environment: string;
}

let bench: SchedulerBench;
beforeAll(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 0.5 });
  bench.neighbours.images = { web: await webImage('web-one', 'one') };
});
afterAll(() => bench.stop());

const COMPOSE = 'services: { web: { image: web }, worker: { image: web, read_only: true } }';

async function running(): Promise<Place> {
  const place = await bench.shop();
  expect(await bench.finished((await bench.deploy(place, COMPOSE)).id)).toMatchObject({
    status: 'succeeded',
  });
  return place;
}
const nameOf = ({ action, hook, resource }: Omit<DecisionRequest, 'principal'>): string =>
  `${action} ${hook} ${resource.id}`;
async function review({ project }: Place, who = principal()): Promise<EnvironmentReview[]> {
  return (await bench.call(schedulerRpc.reviewEnvironments, { project }, who)).items;
}

test('what runs is asked about as it was when it came, and nothing comes of it', async () => {
  const place = await running();
  const decided = bench.neighbours.asked.filter(({ resource }) => resource.project === place.project);
  expect(await review(place)).toEqual([
    expect.objectContaining({ ...place, team: 'acme', deployedBy: 'ann', findings: [] }),
  ]);
  const told = (asked: readonly DecisionRequest[]): object[] =>
    asked
      .map(({ principal: { user }, ...question }) => ({ ...question, user }))
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const rollout = decided.filter(({ action }) => /^(deployment\.create|instance\.run)$/.test(action));
  expect(rollout).toHaveLength(6);
  expect(told(bench.neighbours.assessed)).toEqual(told(rollout));
  // Records are heard of in the order in which they were made, a moment later: what comes ahead of the next is all.
  await bench.services(place);
  const recorded = () => bench.recordsOf(place.project).map(({ action }) => action);
  await eventually(() => expect(recorded()).toContain('service.list'));
  expect(new Set(recorded())).toEqual(
    new Set(['environment.create', 'deployment.create', 'deployment.read', 'service.list']),
  );
});

test('what policy has against it today is told, of what it is made from and of how it runs', async () => {
  const place = await running();
  const [web] = (
    await docker(
      bench.dockerHost,
      ...['service', 'ls', '--format', '{{.Name}}', '--filter', `label=berth.project=${place.project}`],
      ...['--filter', 'label=berth.service=web'],
    )
  ).split('\n');
  await docker(
    bench.dockerHost,
    ...['service', 'update', '--detach', '--mount-add', 'type=bind,source=/etc,target=/host'],
    ...['--no-resolve-image', '--quiet', web],
  );
  const policy = (id: string) => [{ id, message: 'Not today.' }];
  bench.neighbours.decide.set(place.project, ({ action, hook, context }) => {
    if (action === 'instance.run' && hook === 'before' && context.readOnly === true) {
      return {
        advice: [
          { id: 'odd', message: 'Not today.', mode: 'warn' },
          { id: 'dry', message: '', mode: 'dry-run' },
        ],
      };
    }
    const mounted = hook === 'after' && (context.bindMounts as string[]).includes('/etc');
    return mounted ? { allowed: false, policies: policy('no-host-mounts') } : {};
  });
  const after = { effect: 'denied', hook: 'after', policies: policy('no-host-mounts') };
  await eventually(
    async () => {
      const [{ findings }] = await review(place);
      expect(findings).toEqual([
        {
          effect: 'warned',
          action: 'instance.run',
          hook: 'before',
          service: 'worker',
          policies: policy('odd'),
        },
        { ...after, action: 'deployment.create', service: null },
        { ...after, action: 'instance.run', service: 'web' },
      ]);
    },
    { timeout: 30_000, interval: 500 },
  );
});

test('each sees what their teams own, in pages', async () => {
  const places = [await running(), await bench.shop()];
  expect(await review(places[0], principal('odo', 'other'))).toEqual([]);
  expect(await review(places[0], principal('root', 'none', true))).toHaveLength(1);
  // Where nothing runs, there is nothing to be asked about.
  expect(await review(places[1])).toEqual([]);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bench.call(schedulerRpc.reviewEnvironments, { limit: 1, cursor }, principal());
    expect(page.items.length).toBeLessThanOrEqual(1);
    seen.push(...page.items.map(({ project }) => project));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual([...new Set(seen)].sort());
  expect(seen).toContain(places[0].project);
});
