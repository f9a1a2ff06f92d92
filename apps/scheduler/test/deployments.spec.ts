import { actions, schedulerRpc, type Deployment } from '@berth/contracts';
import { docker, eventually } from '@berth/testing';
import { scriptImage, textAt, webImage } from './engine-bench.js';
import { sideBySide } from './side-by-side.js';
import { principal, SchedulerBench } from './scheduler-bench.js';

let bench: SchedulerBench;

const beside = sideBySide(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 0.5 });
  const [one, two, crash, sick] = await Promise.all([
    webImage('web-one', 'one'),
    webImage('web-two', 'two'),
    scriptImage('crash', 'echo about to fall; echo no such table >&2; exit 3'),
    scriptImage('sick', 'echo cannot reach the database; sleep 600'),
  ]);
  bench.neighbours.images = { one, two, crash, sick };
});
afterAll(() => bench.stop());

const web = (image: string, more = ''): string =>
  `services:\n  web:\n    image: ${image}\n    ports: ["8080"]\n${more.replace(/^/gm, '    ')}`;
const urlOf = async (place: { project: string; environment: string }): Promise<string> =>
  (await bench.services(place))[0].ports[0].url ?? '';
const labelled = (project: string, ...list: string[]): Promise<string> =>
  docker(bench.dockerHost, ...list, '-q', '--filter', `label=berth.project=${project}`);

describe('a deployment', () => {
  beside('goes through its steps, succeeds, and leaves the facts in record, event and quota', async () => {
    const place = await bench.shop({ GREETING: 'hi' });
    const created = await bench.deploy(place, web('one', 'environment: { A: "$GREETING" }'));
    expect(created).toMatchObject({
      ...place,
      team: 'acme',
      status: 'pending',
      createdBy: 'ann',
      reason: null,
    });
    const deployment = await bench.finished(created.id);
    expect(deployment).toMatchObject({ status: 'succeeded', reason: null, release: created.release });
    expect(deployment.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'resolving succeeded',
      'policy succeeded',
      'quota succeeded',
      'rolling-out succeeded',
      'healthy succeeded',
    ]);
    expect(await textAt(await urlOf(place))).toBe('one');
    expect(await bench.call(schedulerRpc.getEnvironment, { ...place })).toMatchObject({
      release: created.release,
    });
    expect(await bench.call(schedulerRpc.listReleases, { ...place, limit: 10 })).toMatchObject({
      items: [{ digest: created.release, current: true, services: [{ name: 'web', image: 'one' }] }],
      nextCursor: null,
    });
    await eventually(() => expect(bench.neighbours.words('commit')).toContainEqual({ id: created.id }));
    expect(bench.neighbours.words('reserve')).toContainEqual(
      expect.objectContaining({ id: created.id, amounts: { cpu: 1, memory: 536_870_912, instances: 1 } }),
    );
    await eventually(() => {
      const ends = bench
        .recordsOf(place.project)
        .filter(({ action }) => action === actions.deploymentCreate.name)
        .map(({ outcome }) => outcome);
      expect(ends).toEqual(['accepted', 'succeeded']);
    });
    // The end was judged too: it carries the decisions of both hooks.
    const [accepted, succeeded] = bench
      .recordsOf(place.project)
      .filter(({ action }) => action === actions.deploymentCreate.name);
    // Of the deployment, and of its one service.
    expect(accepted.decisions).toHaveLength(2);
    expect(succeeded.decisions).toEqual([...accepted.decisions, expect.any(String), expect.any(String)]);
    await eventually(() =>
      expect(bench.eventsOf(place.project).at(-1)?.type).toBe('deployment.succeeded.v1'),
    );
    const events = bench.eventsOf(place.project).filter(({ type }) => !type.startsWith('project'));
    const types = events.map(({ type }) => type);
    expect(types[0]).toBe('environment.created.v1');
    expect(types[1]).toBe('deployment.created.v1');
    expect(types).toContain('deployment.progressed.v1');
    expect((events.at(-1)?.data as Deployment).id).toBe(created.id);
  });

  beside('that fails says why, and what ran before serves', async () => {
    const place = await bench.shop();
    const first = await bench.finished((await bench.deploy(place, web('one'))).id);
    const { id } = await bench.deploy(place, web('crash'));
    const failed = await bench.finished(id);
    expect(failed.status).toBe('failed');
    expect(failed.reason).toMatch(/container exited with code 3.*no such table.*release before .* serves\./s);
    expect(failed.steps.map(({ status }) => status).slice(0, 3)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
    expect(await textAt(await urlOf(place))).toBe('one');
    expect(await bench.call(schedulerRpc.getEnvironment, { ...place })).toMatchObject({
      release: first.release,
    });
    await eventually(() => expect(bench.neighbours.words('release')).toContainEqual({ id }));
    await eventually(() =>
      expect(bench.recordsOf(place.project)).toContainEqual(
        expect.objectContaining({ outcome: 'failed', reason: failed.reason }),
      ),
    );
  });

  beside('that fails as the first leaves nothing running', async () => {
    const place = await bench.shop();
    const failed = await bench.finished((await bench.deploy(place, web('crash'))).id);
    expect(failed).toMatchObject({ status: 'failed', reason: expect.stringContaining('nothing runs now') });
    expect(await labelled(place.project, 'service', 'ls')).toBe('');
    expect(await labelled(place.project, 'ps', '-a')).toBe('');
  });

  beside('can be cancelled, and then is as if it had not been', async () => {
    const place = await bench.shop();
    await bench.finished((await bench.deploy(place, web('one'))).id);
    const check = 'healthcheck: { test: "test -f /never", interval: 1s, retries: 1000 }';
    const { id } = await bench.deploy(place, web('sick', check));
    await eventually(async () =>
      expect(JSON.stringify((await bench.deployment(id)).steps)).toContain('starting'),
    );
    await bench.call(schedulerRpc.cancelDeployment, { id });
    const cancelled = await bench.finished(id);
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      reason: expect.stringContaining('Cancelled by ann.'),
    });
    expect(await textAt(await urlOf(place))).toBe('one');
    await expect(bench.call(schedulerRpc.cancelDeployment, { id })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  beside('is one at a time in an environment', async () => {
    const place = await bench.shop();
    const both = await Promise.allSettled([bench.deploy(place, web('one')), bench.deploy(place, web('two'))]);
    const refused = both.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual([
      'DEPLOYMENT_IN_PROGRESS',
    ]);
    const taken = both.find((result) => result.status === 'fulfilled');
    expect((await bench.finished(taken?.value.id ?? '')).status).toBe('succeeded');
  });

  beside('removes services that its Compose file no longer has', async () => {
    const place = await bench.shop();
    await bench.finished((await bench.deploy(place, `${web('one')}\n  other:\n    image: two`)).id);
    expect((await bench.services(place)).map(({ name }) => name)).toEqual(['other', 'web']);
    await bench.finished((await bench.deploy(place, web('one'))).id);
    expect((await bench.services(place)).map(({ name }) => name)).toEqual(['web']);
  });

  beside('holds its fixed ports against other environments', async () => {
    const port = 30_000 + Math.floor(Math.random() * 2_000);
    const fixed = `services: { web: { image: one, ports: ["${port}:8080"] } }`;
    const [first, second] = [await bench.shop(), await bench.shop()];
    await bench.finished((await bench.deploy(first, fixed)).id);
    expect(await textAt(`http://127.0.0.1:${port}/`)).toBe('one');
    await expect(bench.deploy(second, fixed)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await bench.call(schedulerRpc.removeEnvironment, { ...first, volumes: true });
    expect((await bench.finished((await bench.deploy(second, fixed)).id)).status).toBe('succeeded');
  });
});

describe('nothing happens', () => {
  const nothingOf = async (project: string): Promise<void> => {
    expect(await labelled(project, 'service', 'ls')).toBe('');
    expect(await labelled(project, 'network', 'ls')).toBe('');
    const { rows } = await bench.sql.query('SELECT 1 FROM deployments WHERE project = $1', [project]);
    expect(rows).toEqual([]);
  };

  beside('when policy denies, and the denial is recorded', async () => {
    const place = await bench.shop();
    const policies = [{ id: 'no-latest', message: 'Name a version.' }];
    bench.neighbours.decide.set(place.project, ({ action }) =>
      action === 'deployment.create' ? { allowed: false, policies } : {},
    );
    await expect(bench.deploy(place, web('one'))).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      extensions: { policies },
    });
    await nothingOf(place.project);
    const before = bench.neighbours.asked.find(({ resource }) => resource.id === `${place.project}.dev`);
    expect(before).toMatchObject({
      hook: 'before',
      context: { tags: ['latest'], users: ['1000:1000'], instances: 1 },
    });
    await eventually(() =>
      expect(bench.recordsOf(place.project)).toContainEqual(
        expect.objectContaining({ action: 'deployment.create', outcome: 'denied', policies }),
      ),
    );
  });

  beside('over quota, and the limits are told', async () => {
    const place = await bench.shop();
    const limit = {
      scope: 'teams',
      name: 'acme',
      dimension: 'instances',
      limit: 5,
      used: 5,
      requested: 1,
    } as const;
    bench.neighbours.limits.set(place.project, [limit]);
    await expect(bench.deploy(place, web('one'))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      extensions: { limits: [limit] },
    });
    await nothingOf(place.project);
  });

  const bad: [string, string][] = [
    ['COMPOSE_UNSUPPORTED', web('one', 'privileged: true')],
    ['COMPOSE_INVALID', 'services: ['],
    ['IMAGE_NOT_FOUND', web('nowhere')],
    [
      'COMPOSE_INVALID',
      `${web('one', 'depends_on: { db: { condition: service_healthy } }')}\n  db: { image: two }`,
    ],
  ];
  for (const [code, compose] of bad) {
    beside(`for a Compose file with ${code}: ${compose}`, async () => {
      const place = await bench.shop();
      await expect(bench.deploy(place, compose)).rejects.toMatchObject({ code });
      await nothingOf(place.project);
    });
  }

  beside('for one of another team, who learns nothing, not even of his Compose file', async () => {
    const place = await bench.shop();
    bench.neighbours.decide.set(place.project, () => ({ allowed: false, visible: false }));
    const stranger = principal('eve', 'other');
    await expect(
      bench.call(schedulerRpc.createDeployment, { ...place, compose: 'services: [' }, stranger),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await eventually(() =>
      expect(bench.recordsOf(place.project)).toContainEqual(
        expect.objectContaining({
          actor: 'eve',
          action: 'deployment.create',
          outcome: 'denied',
          code: 'NOT_FOUND',
        }),
      ),
    );
  });
});

describe('what came up is judged', () => {
  beside('and undone when policy denies it', async () => {
    const place = await bench.shop();
    bench.neighbours.decide.set(place.project, ({ action, hook }) =>
      action === 'deployment.create' && hook === 'after'
        ? { allowed: false, policies: [{ id: 'no-web', message: 'Not like that.' }] }
        : {},
    );
    const denied = await bench.finished((await bench.deploy(place, web('one'))).id);
    expect(denied).toMatchObject({
      status: 'denied',
      reason: expect.stringContaining('no-web: Not like that.'),
    });
    const after = bench.neighbours.asked.find(
      ({ hook, resource, action }) =>
        hook === 'after' && action === 'deployment.create' && resource.project === place.project,
    );
    expect(after?.context).toMatchObject({
      instances: 1,
      privileged: false,
      unexpectedImages: [],
      bindMounts: [],
    });
    expect(await labelled(place.project, 'ps', '-a')).toBe('');
  });
});

describe('each service', () => {
  const instanceHook = (wanted: string, service: string) =>
    bench.neighbours.asked.filter(
      ({ action, hook, resource }) =>
        action === 'instance.run' && hook === wanted && resource.id.endsWith(`.dev.${service}`),
    );
  const two = (): string =>
    'services:\n  web:\n    image: one\n  worker:\n    image: two\n    read_only: true\n';
  const deny = (project: string, hook: string): unknown =>
    bench.neighbours.decide.set(project, (asked) =>
      asked.action === 'instance.run' && asked.hook === hook && asked.resource.id.endsWith('.worker')
        ? { allowed: false, policies: [{ id: 'no-worker', message: `Not ${hook}.` }] }
        : {},
    );

  beside('is asked about before a container of it starts, and as it really runs', async () => {
    const place = await bench.shop();
    const done = await bench.finished((await bench.deploy(place, two())).id);
    expect(done.status).toBe('succeeded');
    const [before] = instanceHook('before', 'worker').filter(
      ({ resource }) => resource.project === place.project,
    );
    expect(before).toMatchObject({
      resource: { type: 'Service', id: `${place.project}.dev.worker`, environment: 'dev', team: 'acme' },
      context: {
        service: 'worker',
        image: 'two',
        tag: 'latest',
        digest: bench.neighbours.images.two.digest,
        readOnly: true,
      },
    });
    const [after] = instanceHook('after', 'worker').filter(
      ({ resource }) => resource.project === place.project,
    );
    expect(after.context).toMatchObject({
      ...{ instances: 1, readOnly: true, privileged: false, unexpectedImage: false, hostNamespaces: [] },
      digest: bench.neighbours.images.two.digest,
    });
    expect(after.principal).toEqual(before.principal);
    // The record names every decision: of the deployment and of both services, at both ends.
    const record = await eventually(() => {
      const found = bench.records.find(
        ({ action, project, outcome }) =>
          action === 'deployment.create' && project === place.project && outcome === 'succeeded',
      );
      expect(found).toBeDefined();
      return found;
    });
    expect(new Set(record?.decisions).size).toBe(6);
  });

  beside('that policy denies keeps all from starting, and is recorded', async () => {
    const place = await bench.shop();
    deny(place.project, 'before');
    await expect(bench.deploy(place, two())).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      message: expect.stringContaining(`Service "${place.project}.dev.worker"`) as string,
    });
    expect(await labelled(place.project, 'ps', '-a')).toBe('');
    await eventually(() =>
      expect(bench.records).toContainEqual(
        expect.objectContaining({
          ...{
            action: 'instance.run',
            project: place.project,
            outcome: 'denied',
            reason: 'no-worker: Not before.',
          },
          resource: { type: 'Service', id: `${place.project}.dev.worker` },
        }),
      ),
    );
  });

  beside('that came up otherwise than policy allows is stopped, and the deployment undone', async () => {
    const place = await bench.shop();
    deny(place.project, 'after');
    const denied = await bench.finished((await bench.deploy(place, two())).id);
    expect(denied).toMatchObject({
      status: 'denied',
      reason: expect.stringContaining('no-worker (worker): Not after.') as string,
    });
    expect(await labelled(place.project, 'ps', '-a')).toBe('');
  });
});

describe('what is in the engine and nowhere else', () => {
  beside('is removed when it carries our label', async () => {
    const place = await bench.shop();
    await bench.finished((await bench.deploy(place, web('one'))).id);
    const labels = [
      `installation=${bench.installation}`,
      `project=${place.project}`,
      'environment=dev',
      'service=ghost',
    ];
    const flags = labels.flatMap((label) => ['--label', `berth.${label}`]);
    const image = bench.neighbours.images.one;
    await docker(
      bench.dockerHost,
      ...[
        'service',
        'create',
        '--detach',
        '--quiet',
        '--no-resolve-image',
        '--name',
        `${bench.installation}-ghost`,
      ],
      ...[...flags, '--replicas', '0', `x@${image.digest}`],
    );
    await eventually(async () =>
      expect((await bench.services(place)).map(({ name }) => name)).toEqual(['web']),
    );
  });
});

describe('an environment that is removed', () => {
  beside('leaves nothing in the engine, and quota hears of it', async () => {
    const place = await bench.shop();
    await bench.finished((await bench.deploy(place, web('one'))).id);
    await bench.call(schedulerRpc.removeEnvironment, { ...place, volumes: true });
    for (const list of [
      ['service', 'ls'],
      ['ps', '-a'],
      ['network', 'ls'],
      ['volume', 'ls'],
    ])
      expect(await labelled(place.project, ...list)).toBe('');
    await eventually(() => expect(bench.neighbours.words('vacate')).toContainEqual(place));
    await expect(bench.call(schedulerRpc.getEnvironment, place)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await bench.call(schedulerRpc.removeProject, { project: place.project });
  });
});
