import { Pool } from 'pg';
import {
  createTestDatabase,
  eventually,
  startTestPostgres,
  startTestService,
  type TestDatabase,
  type TestPostgres,
  type TestService,
} from '@berth/testing';
import { auditEnvironment, record, RecordSource } from './audit-service.js';

const RECORDS = 5_000;

describe('5,000 records are there, each once', () => {
  let postgres: TestPostgres;
  let database: TestDatabase;
  let source: RecordSource;
  let sql: Pool;
  let service: TestService;

  beforeAll(async () => {
    postgres = await startTestPostgres();
    source = await RecordSource.connect();
  });
  afterAll(async () => {
    await source.close();
    await postgres.remove();
  });

  beforeEach(async () => {
    database = await createTestDatabase('audit', postgres.url);
    sql = new Pool({ connectionString: database.url, max: 1 });
    // Connections that a crash cuts while they are idle.
    sql.on('error', () => undefined);
    service = await startTestService('audit', await auditEnvironment(database.url));
  });
  afterEach(async () => {
    await service.kill();
    await sql.end();
    await database.drop();
  });

  const count = async (): Promise<number> => {
    const { rows } = await sql.query<{ count: string }>('SELECT count(*) FROM records');
    return Number(rows[0].count);
  };

  async function expectAll(sent: { id: string }[]): Promise<void> {
    // What a killed process had been given comes again when the stream has waited long enough for its acknowledgement.
    await eventually(async () => expect(await count()).toBe(sent.length), { timeout: 50_000, interval: 200 });
    const { rows } = await sql.query<{ id: string }>('SELECT id FROM records');
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)));
  }

  it('after the service was killed in the middle of taking them in', async () => {
    const sent = Array.from({ length: RECORDS }, () => record());
    const sending = source.send(sent);
    for (const part of [0.1, 0.5]) {
      await eventually(async () => expect(await count()).toBeGreaterThan(RECORDS * part), { interval: 5 });
      await service.kill();
      expect(await count()).toBeLessThan(RECORDS);
      await service.start();
    }
    await sending;
    await expectAll(sent);
  }, 90_000);

  it('after Postgres crashed in the middle of it', async () => {
    const sent = Array.from({ length: RECORDS }, () => record());
    const sending = source.send(sent);
    await eventually(async () => expect(await count()).toBeGreaterThan(RECORDS / 10), { interval: 5 });
    await postgres.crash();
    await sending;
    await postgres.start();
    expect(await count()).toBeLessThan(RECORDS);
    await expectAll(sent);
  }, 90_000);
});
