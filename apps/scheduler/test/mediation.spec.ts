import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { entrances } from '@berth/actions';
import { catalog } from '@berth/contracts';
import { createService } from '@berth/runtime';
import {
  createTestDatabase,
  testEngine,
  testInstallation,
  testNats,
  type TestDatabase,
} from '@berth/testing';
import { schedulerService } from '../src/app.module.js';
import { SchedulerEnv } from '../src/env.js';
import { MetadataRequests } from '../src/metadata/metadata-requests.js';

describe('every way into the service', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    database = await createTestDatabase('scheduler');
    const { env } = await testNats('scheduler');
    app = await createService(
      schedulerService(
        SchedulerEnv.parse({
          ...env,
          DATABASE_URL: database.url,
          LOG_LEVEL: 'silent',
          DOCKER_HOST: await testEngine(),
          BERTH_INSTALLATION: testInstallation(),
          BERTH_SECRETS_KEY: Buffer.alloc(32).toString('base64'),
        }),
      ),
    );
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  it('performs an action of this service, and each of them has one', () => {
    const performed = entrances(app).flatMap(({ action }) => action ?? []);
    const owned = [...catalog.values()].filter(({ owner }) => owner === 'scheduler').map(({ name }) => name);
    // Within a rollout, of each service: its own specs hold that.
    expect([...new Set(performed)].sort()).toEqual(owned.filter((name) => name !== 'instance.run').sort());
  });

  it('is told to instances for a reason where it is the metadata endpoint, and these are all of its paths', () => {
    const { routes } = app.get(MetadataRequests);
    expect(routes.every(({ publicReason }) => publicReason.trim() !== '')).toBe(true);
    const parts = ['', '/services', '/resources', '/variables', '/release', '/watch'];
    expect(routes.map(({ path }) => path)).toEqual(parts.map((part) => `/v1${part}`));
  });

  it('is public for a reason where it performs none, and these are all', () => {
    const open = entrances(app).filter(({ action }) => action === null);
    expect(open.every(({ publicReason }) => Boolean(publicReason))).toBe(true);
    expect(open.map(({ handler }) => handler).sort()).toEqual([
      'HealthController.alive',
      'HealthController.ready',
      'ImagesInUseController.inUse',
      'MetricsController.read',
    ]);
  });
});
