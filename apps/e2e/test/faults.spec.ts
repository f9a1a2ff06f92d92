import type { AuditRecord, Deployment, Page, Problem } from '@berth/contracts';
import { type ApiClient, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { engineObjects } from './support/engine.js';
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

jest.setTimeout(240_000);

describe('a platform that is hurt', () => {
  let platform: TestPlatform;
  let dana: ApiClient;

  const records = async (query: string): Promise<AuditRecord[]> =>
    expectStatus(await platform.api.get<Page<AuditRecord>>(`/v1/audit/records?limit=200&${query}`), 200)
      .items;

  beforeAll(async () => {
    await buildWebImages();
    platform = await startPlatform();
    dana = await newcomer(platform, 'acme', 'dana');
    await newProject(dana, 'acme', 'shop');
    expect(await deploy(dana, 'shop', composeFile())).toMatchObject({ status: 'succeeded' });
  });

  afterAll(async () => {
    await platform?.stop();
  });

  it.each(['scheduler', 'policy', 'quota', 'audit', 'registry-proxy', 'gateway'] as const)(
    'brings a deploy to an honest end when %s is killed in the middle of it',
    async (name) => {
      const running = (await services(dana, 'shop')).find((service) => service.name === 'web')?.image ?? '';
      const version = running.startsWith('web:1') ? '2' : '1';
      const { id } = expectStatus(await postDeployment(dana, 'shop', composeFile({ version })), 202);
      await platform.service(name).kill('SIGKILL');
      await platform.service(name).restart();
      const deployment = await ended(dana, id);
      // It may fail honestly; what it says has to be what is.
      const shows = deployment.status === 'succeeded' ? version : version === '1' ? '2' : '1';
      expect(await webPage(dana, 'shop')).toBe(`web ${shows}\napi says: hello from api\n`);
      // Neither an instance too many nor a service that nobody knows.
      await eventually(async () => {
        const { services: made } = engineObjects(platform);
        expect(made.map((service) => service.name)).toHaveLength(2);
        expect((await services(dana, 'shop')).map(({ replicas }) => replicas)).toEqual([
          { running: 1, desired: 1 },
          { running: 1, desired: 1 },
        ]);
      });
      await eventually(async () => {
        const told = (await records('project=shop&action=deployment.create'))
          .filter(({ request }) => request.release === deployment.release)
          .map(({ outcome }) => outcome);
        expect(told).toContain(deployment.status);
        expect(told).toContain('accepted');
      });
      expect(expectStatus(await platform.api.get('/v1/quotas/teams/acme'), 200)).toMatchObject({
        used: { instances: 2 },
      });
    },
  );

  it('lost nothing from the audit log, and has nothing twice', async () => {
    const deployments = expectStatus(
      await dana.get<Page<Deployment>>('/v1/projects/shop/environments/dev/deployments?limit=100'),
      200,
    ).items;
    await eventually(async () => {
      const all = await records('project=shop&action=deployment.create');
      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
      expect(all.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(deployments.length);
      expect(all.filter(({ outcome }) => outcome !== 'accepted')).toHaveLength(deployments.length);
    });
  });

  it('does nothing while policy is down, says so, and goes on when it is back', async () => {
    // A service that was deployed before comes back by the same name, while its last instance of then may still be ending.
    const before = await eventually(() => {
      const found = engineObjects(platform);
      expect(found.containers).toHaveLength(2);
      return found;
    });
    await platform.service('policy').kill();
    const refused = await postDeployment(dana, 'shop', composeFile());
    // Without policy nobody is even authenticated.
    expect(refused.status).toBe(503);
    expect((refused.body as unknown as Problem).code).toMatch(/^(POLICY|SERVICE)_UNAVAILABLE$/);
    expect(engineObjects(platform)).toEqual(before);
    await platform.service('policy').restart();
    await eventually(async () => expect((await dana.get('/v1/projects/shop')).status).toBe(200));
  });

  it('does nothing while quota is down, and says so', async () => {
    await platform.service('quota').kill();
    const refused = await postDeployment(dana, 'shop', composeFile({ version: '2' }));
    expect([refused.status, (refused.body as unknown as Problem).code]).toEqual([503, 'QUOTA_UNAVAILABLE']);
    await platform.service('quota').restart();
  });

  it('answers 503 with a stable code while NATS is down, and recovers', async () => {
    await platform.stopPart('nats');
    await eventually(async () => {
      const { status, body } = await dana.get<Problem>('/v1/projects/shop');
      expect([status, body.code]).toEqual([503, expect.stringMatching(/^(POLICY|SERVICE)_UNAVAILABLE$/)]);
    });
    await platform.startParts();
    await eventually(async () => expect((await dana.get('/v1/projects/shop')).status).toBe(200), {
      timeout: 30_000,
    });
  });

  it('answers 503 with a stable code while Postgres is down, and recovers', async () => {
    await platform.stopPart('postgres');
    const { status, body } = await dana.get<Problem>('/v1/projects/shop');
    expect(status).toBe(503);
    expect(body.code).toMatch(/^(DATABASE|POLICY|SERVICE)_UNAVAILABLE$/);
    await platform.startParts();
    await eventually(async () => expect((await dana.get('/v1/projects/shop')).status).toBe(200), {
      timeout: 30_000,
    });
    expect(await deploy(dana, 'shop', composeFile({ version: '2' }))).toMatchObject({ status: 'succeeded' });
  });
});
