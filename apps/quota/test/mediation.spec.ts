import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { entrances } from '@berth/actions';
import { catalog } from '@berth/contracts';
import { createService } from '@berth/runtime';
import { createTestDatabase, testNats, type TestDatabase } from '@berth/testing';
import { quotaService } from '../src/app.module.js';
import { QuotaEnv } from '../src/env.js';

describe('every way into the service', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    database = await createTestDatabase('quota');
    const { env } = await testNats('quota');
    app = await createService(
      quotaService(QuotaEnv.parse({ ...env, DATABASE_URL: database.url, LOG_LEVEL: 'silent' })),
    );
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  it('performs an action of this service, and each of them has one', () => {
    const performed = entrances(app).flatMap(({ action }) => action ?? []);
    const owned = [...catalog.values()].filter(({ owner }) => owner === 'quota').map(({ name }) => name);
    expect([...new Set(performed)].sort()).toEqual(owned.sort());
  });

  it('is public for a reason where it performs none, and these are all', () => {
    const open = entrances(app).filter(({ action }) => action === null);
    expect(open.every(({ publicReason }) => Boolean(publicReason))).toBe(true);
    expect(open.map(({ handler }) => handler).sort()).toEqual([
      'HealthController.alive',
      'HealthController.ready',
      'LedgerController.commit',
      'LedgerController.release',
      'LedgerController.reserve',
      'LedgerController.vacate',
      'MetricsController.read',
      'StorageLimitController.limit',
    ]);
  });
});
