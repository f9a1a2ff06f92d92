import { readFileSync } from 'node:fs';
import type { AuditRecord, Deployment, Page, Problem } from '@berth/contracts';
import { ACCOUNT_NAME, findAccount, isReachableByOthers, isRoot, REPOSITORY } from '@berth/host';
import { type ApiClient, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { buildWebImages, composeFile } from './support/images.js';
import {
  deploy,
  ended,
  expectStatus,
  newcomer,
  newProject,
  postDeployment,
  services,
  webPage,
} from './support/people.js';
import { engineObjects } from './support/engine.js';

jest.setTimeout(180_000);

describe('a team with a project', () => {
  let platform: TestPlatform;
  let dana: ApiClient;
  let mallory: ApiClient;

  const records = async (query: string): Promise<AuditRecord[]> =>
    expectStatus(await platform.api.get<Page<AuditRecord>>(`/v1/audit/records?${query}`), 200).items;

  beforeAll(async () => {
    await buildWebImages();
    platform = await startPlatform();
    dana = await newcomer(platform, 'acme', 'dana');
    mallory = await newcomer(platform, 'rivals', 'mallory', 'maintainer');
    await newProject(dana, 'acme', 'shop');
  });

  afterAll(async () => {
    await platform?.stop();
  });

  it('deploys two services; one answers, and reaches the other by name', async () => {
    const deployment = await deploy(dana, 'shop', composeFile());
    expect(deployment).toMatchObject({
      status: 'succeeded',
      project: 'shop',
      environment: 'dev',
      reason: null,
    });
    expect(deployment.steps.map(({ name, status }) => [name, status])).toEqual(
      ['resolving', 'policy', 'quota', 'rolling-out', 'healthy'].map((name) => [name, 'succeeded']),
    );
    expect(await webPage(dana, 'shop')).toBe('web 1\napi says: hello from api\n');
  });

  it('finds in the audit log who did it, under one correlation id', async () => {
    const found = await eventually(async () => {
      const all = await records('project=shop&action=deployment.create');
      expect(all.map(({ outcome }) => outcome).sort()).toEqual(['accepted', 'succeeded']);
      return all;
    });
    expect(new Set(found.map(({ correlationId }) => correlationId)).size).toBe(1);
    expect(found[0]).toMatchObject({
      actor: 'dana',
      team: 'acme',
      environment: 'dev',
      resource: { type: 'Environment' },
    });
    expect(found[0].decisions.length).toBeGreaterThan(0);
  });

  it('left one correlation id in the logs of all services that had a part in it', async () => {
    const { status } = await dana.post(
      '/v1/projects/shop/environments/dev/deployments',
      { compose: '' },
      { 'x-correlation-id': 'refused-1' },
    );
    expect(status).toBe(400);
    const [{ correlationId }] = await records('project=shop&action=deployment.create');
    const lines = (name: 'gateway' | 'scheduler' | 'policy' | 'quota' | 'registry-proxy') =>
      platform
        .service(name)
        .logs()
        .split('\n')
        .filter((line) => line.includes(`"correlationId":"${correlationId}"`));
    await eventually(() => {
      for (const name of ['gateway', 'scheduler', 'policy', 'quota', 'registry-proxy'] as const) {
        expect([name, lines(name).length > 0]).toEqual([name, true]);
      }
    });
    expect(platform.service('gateway').logs()).toContain('refused-1');
  });

  it('is served by processes that may do no more than they need, where root started them', () => {
    const uid = (name: 'gateway' | 'policy' | 'registry-proxy') =>
      Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${platform.service(name).pid()}/status`, 'utf8'))?.[1]);
    // Below a folder that only root may enter, nobody else could read the built services.
    const theirs =
      isRoot() && isReachableByOthers(REPOSITORY) ? findAccount(ACCOUNT_NAME)?.uid : process.getuid?.();
    expect([uid('gateway'), uid('policy'), uid('registry-proxy')]).toEqual([theirs, theirs, theirs]);
  });

  it('left no secret in any log', () => {
    for (const name of ['gateway', 'scheduler', 'policy', 'quota', 'registry-proxy', 'audit'] as const) {
      const text = platform.service(name).logs();
      expect(text).not.toBe('');
      expect(text).not.toContain(dana.token);
      expect(text).not.toContain(platform.adminToken);
    }
  });

  it('launched each image from the local registry, by digest', async () => {
    const objects = engineObjects(platform);
    for (const { image } of objects.services) {
      expect(image).toMatch(
        new RegExp(`^${platform.registry}/docker\\.io/library/(web|api)@sha256:[0-9a-f]{64}$`),
      );
    }
  });

  it('updates to a new image', async () => {
    expect(await deploy(dana, 'shop', composeFile({ version: '2' }))).toMatchObject({ status: 'succeeded' });
    expect(await webPage(dana, 'shop')).toBe('web 2\napi says: hello from api\n');
  });

  it('says failed, with the last output, when the new image crashes; the old release still answers', async () => {
    const before = await services(dana, 'shop');
    const deployment = await deploy(dana, 'shop', composeFile({ version: 'crash' }));
    expect(deployment.status).toBe('failed');
    expect(deployment.reason).toContain('cannot read the settings: no such table');
    expect(await webPage(dana, 'shop')).toBe('web 2\napi says: hello from api\n');
    expect((await services(dana, 'shop')).map(({ release }) => release)).toEqual(
      before.map(({ release }) => release),
    );
    await eventually(async () => {
      const [record] = await records('project=shop&action=deployment.create&outcome=failed');
      expect(record.reason).toContain('cannot read the settings');
    });
  });

  it('creates nothing when policy denies, shows the policy and what it says, and records it', async () => {
    const text = `@id("no-second-api")
@message("One api is enough for a dev environment.")
forbid (principal, action == Berth::Action::"deployment.create.before", resource)
when { context.services.contains("api-two") };`;
    expectStatus(await platform.api.put('/v1/policies/no-second-api', { text }), 200);
    const before = engineObjects(platform);
    const answer = await postDeployment(
      dana,
      'shop',
      composeFile({ extra: '  api-two:\n    image: api:1\n' }),
    );
    expect(answer.status).toBe(403);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({
      code: 'POLICY_DENIED',
      policies: [{ id: 'no-second-api', message: 'One api is enough for a dev environment.' }],
    });
    expect(engineObjects(platform)).toEqual(before);
    await eventually(async () => {
      const [record] = await records('project=shop&outcome=denied&action=deployment.create');
      expect(record).toMatchObject({
        actor: 'dana',
        code: 'POLICY_DENIED',
        policies: [{ id: 'no-second-api' }],
      });
    });
    expectStatus(await platform.api.delete('/v1/policies/no-second-api'), 204);
  });

  it('creates nothing when it would be over quota, says which limit, and records it', async () => {
    expectStatus(await platform.api.put('/v1/quotas/teams/acme', { limits: { instances: 3 } }), 200);
    const before = engineObjects(platform);
    const answer = await postDeployment(
      dana,
      'shop',
      composeFile({ extra: '    deploy:\n      replicas: 3\n' }),
    );
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      limits: [{ scope: 'teams', name: 'acme', dimension: 'instances', limit: 3, used: 2, requested: 2 }],
    });
    expect(engineObjects(platform)).toEqual(before);
    await eventually(async () => {
      const [record] = await records('project=shop&outcome=denied&action=deployment.create');
      expect(record).toMatchObject({ actor: 'dana', code: 'QUOTA_EXCEEDED' });
    });
    expectStatus(await platform.api.put('/v1/quotas/teams/acme', { limits: {} }), 200);
  });

  it('lets only one of two deploys at once take the last of the quota', async () => {
    await newProject(dana, 'acme', 'left');
    await newProject(dana, 'acme', 'right');
    expectStatus(await platform.api.put('/v1/quotas/users/dana', { limits: { instances: 3 } }), 200);
    const one = 'services:\n  api:\n    image: api:1\n';
    const answers = await Promise.all([
      postDeployment(dana, 'left', one),
      postDeployment(dana, 'right', one),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    const taken = answers.find(({ status }) => status === 202) as { body: Deployment };
    expect(await ended(dana, taken.body.id)).toMatchObject({ status: 'succeeded' });
    expectStatus(await platform.api.put('/v1/quotas/users/dana', { limits: {} }), 200);
  });

  it('is not to be found by another team, and the attempt is recorded', async () => {
    const [mine] = expectStatus(
      await dana.get<Page<Deployment>>('/v1/projects/shop/environments/dev/deployments'),
      200,
    ).items;
    const attempts = [
      await mallory.get<Problem>('/v1/projects/shop'),
      await mallory.get<Problem>(`/v1/deployments/${mine.id}`),
      await mallory.get<Problem>('/v1/projects/shop/environments/dev/services/web/logs'),
      await mallory.post<Problem>('/v1/projects/shop/environments/dev/deployments', {
        compose: composeFile(),
      }),
      await mallory.delete<Problem>('/v1/projects/shop/environments/dev'),
    ];
    for (const { status, body } of attempts) expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    const nothing = await mallory.get<Problem>('/v1/projects/nothing');
    expect(nothing.body.detail.replace('nothing', 'shop')).toBe(attempts[0].body.detail);
    const listed = expectStatus(await mallory.get<Page<{ name: string }>>('/v1/projects'), 200);
    expect(listed.items).toEqual([]);
    await eventually(async () => {
      const denied = await records('actor=mallory&outcome=denied');
      expect(denied.map(({ action }) => action)).toEqual(
        expect.arrayContaining([
          'project.read',
          'deployment.read',
          'service.logs',
          'deployment.create',
          'environment.remove',
        ]),
      );
    });
    expect(await webPage(dana, 'shop')).toContain('web 2');
  });

  it('reads the output of its services', async () => {
    const answer = await dana.get<Page<{ line: string }>>(
      '/v1/projects/shop/environments/dev/services/web/logs',
    );
    expect(answer.status).toBe(200);
  });

  it('is told each step as it happens', async () => {
    const { id } = expectStatus(await postDeployment(dana, 'shop', composeFile({ version: '1' })), 202);
    const stream = await fetch(`${platform.url}/v1/deployments/${id}/events`, {
      headers: { authorization: `Bearer ${dana.token}`, accept: 'text/event-stream' },
    });
    const text = await stream.text();
    const told = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data) as Deployment);
    expect(told.at(-1)?.status).toBe('succeeded');
    expect(told.length).toBeGreaterThan(2);
  });

  it('removes the environment, and nothing of it stays', async () => {
    for (const project of ['shop', 'left', 'right']) {
      expectStatus(await dana.delete(`/v1/projects/${project}/environments/dev`), 204);
    }
    expect(engineObjects(platform)).toEqual({ services: [], networks: [], containers: [] });
    expect(expectStatus(await platform.api.get('/v1/quotas/teams/acme'), 200)).toMatchObject({
      used: { instances: 0 },
    });
  });
});
