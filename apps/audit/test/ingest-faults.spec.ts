import { Client, Pool } from 'pg';
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

  /** Sends, and hurts while a batch is inside its INSERT: a lock on the table holds it there. */
  async function midway(sent: ReturnType<typeof record>[], hurt: () => Promise<void>): Promise<void> {
    const holder = new Client({ connectionString: database.adminUrl });
    // A crash cuts it, as it is meant to.
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE audit.records IN SHARE MODE');
    const sending = source.send(sent);
    await eventually(async () => {
      const { rowCount } = await holder.query(
        "SELECT 1 FROM pg_locks WHERE relation = 'audit.records'::regclass AND NOT granted",
      );
      expect(rowCount).toBeGreaterThan(0);
    });
    await hurt();
    await holder.end();
    await sending;
  }

  it('after the service was killed in the middle of taking them in, twice', async () => {
    const sent = Array.from({ length: RECORDS }, () => record());
    for (const half of [sent.slice(0, RECORDS / 2), sent.slice(RECORDS / 2)]) {
      await midway(half, () => service.kill());
      expect(await count()).toBeLessThan(RECORDS);
      await service.start();
    }
    await expectAll(sent);
  }, 90_000);

  it('after Postgres crashed in the middle of it', async () => {
    const sent = Array.from({ length: RECORDS }, () => record());
    await midway(sent, () => postgres.crash());
    await postgres.start();
    await expectAll(sent);
  }, 90_000);
});
