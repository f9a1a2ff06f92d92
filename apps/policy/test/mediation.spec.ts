import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { entrances } from '@berth/actions';
import { catalog } from '@berth/contracts';
import { createService } from '@berth/runtime';
import { createTestDatabase, testNats, type TestDatabase } from '@berth/testing';
import { policyService } from '../src/app.module.js';
import { PolicyEnv } from '../src/env.js';

describe('every way into the service', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    database = await createTestDatabase('policy');
    const { env } = await testNats('policy');
    app = await createService(
      policyService(PolicyEnv.parse({ ...env, DATABASE_URL: database.url, LOG_LEVEL: 'silent' })),
    );
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  it('performs an action of this service, and each of them has one', () => {
    const performed = entrances(app).flatMap(({ action }) => action ?? []);
    const owned = [...catalog.values()].filter(({ owner }) => owner === 'policy').map(({ name }) => name);
    // These two happen within entrances that are open, as nobody is known before.
    const within = ['authentication.fail', 'user.login'];
    expect([...new Set(performed)].sort()).toEqual(owned.filter((name) => !within.includes(name)).sort());
  });

  it('is public for a reason where it performs none, and these are all', () => {
    const open = entrances(app).filter(({ action }) => action === null);
    expect(open.every(({ publicReason }) => Boolean(publicReason))).toBe(true);
    expect(open.map(({ handler }) => handler).sort()).toEqual([
      'DecisionsController.decide',
      'HealthController.alive',
      'HealthController.ready',
      'LoginController.begin',
      'LoginController.methods',
      'LoginController.poll',
      'MetricsController.read',
      'SimulationController.assess',
      'UsersController.authenticate',
    ]);
  });
});
