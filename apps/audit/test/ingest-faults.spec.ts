import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Pool } from 'pg';
import {
  createTestDatabase,
  eventually,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '@berth/testing';
import { auditEnvironment, record, RecordSource } from './audit-service.js';

const ROOT = join(__dirname, '..', '..', '..');
const RECORDS = 5_000;

describe('5,000 records are there, each once', () => {
  let postgres: TestPostgres;
  let database: TestDatabase;
  let source: RecordSource;
  let sql: Pool;
  let service: ChildProcess | undefined;

  beforeAll(async () => {
    // The service as a process of its own, from a build that is current.
    execFileSync(join(ROOT, 'berth'), ['build'], { stdio: 'ignore' });
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
  });
  afterEach(async () => {
    await kill();
    await sql.end();
    await database.drop();
  });

  async function start(): Promise<void> {
    const env = await auditEnvironment(database.url);
    service = spawn(process.execPath, [join(ROOT, 'apps/audit/dist/main.js')], { env, stdio: 'inherit' });
  }

  async function kill(): Promise<void> {
    if (!service || service.exitCode !== null || service.signalCode !== null) return;
    service.kill('SIGKILL');
    await once(service, 'exit');
  }

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
    await start();
    await eventually(() => count());
    const sending = source.send(sent);
    for (const part of [0.1, 0.5]) {
      await eventually(async () => expect(await count()).toBeGreaterThan(RECORDS * part), { interval: 5 });
      await kill();
      expect(await count()).toBeLessThan(RECORDS);
      await start();
    }
    await sending;
    await expectAll(sent);
  }, 90_000);

  it('after Postgres crashed in the middle of it', async () => {
    const sent = Array.from({ length: RECORDS }, () => record());
    await start();
    await eventually(() => count());
    const sending = source.send(sent);
    await eventually(async () => expect(await count()).toBeGreaterThan(RECORDS / 10), { interval: 5 });
    await postgres.crash();
    await sending;
    await postgres.start();
    expect(await count()).toBeLessThan(RECORDS);
    await expectAll(sent);
  }, 90_000);
});
