import { Module } from '@nestjs/common';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createTestDatabase, startTestPostgres, type TestDatabase, type TestPostgres } from '@berth/testing';
import { createService, DatabaseModule, RuntimeModule } from '../src/index.js';

class CreateThing1800000000000 implements MigrationInterface {
  readonly name: string = 'CreateThing1800000000000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE thing (name text)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE thing');
  }
}
class Broken1800000000001 extends CreateThing1800000000000 {
  override readonly name = 'Broken1800000000001';
  override async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE half (name text)');
    await runner.query('CREATE NONSENSE');
  }
}

describe('a service with a database', () => {
  let postgres: TestPostgres;
  let database: TestDatabase;

  beforeAll(async () => {
    postgres = await startTestPostgres();
    database = await createTestDatabase('policy', postgres.url);
  });
  afterAll(() => postgres?.remove());

  const start = (...migrations: (new () => MigrationInterface)[]) => {
    const env = {
      DATABASE_URL: database.url,
      LOG_LEVEL: 'silent' as const,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
    };
    @Module({
      imports: [
        RuntimeModule.forService('policy', env),
        DatabaseModule.forService({ service: 'policy', env, entities: [], migrations }),
      ],
    })
    class App {}
    return createService({ name: 'policy', module: App, env });
  };

  it('does not start on a migration that fails, and leaves nothing of it', async () => {
    await expect(start(Broken1800000000001)).rejects.toThrow(/syntax error/);
    const app = await start();
    expect(await app.get(DataSource).query("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
    await app.close();
  });

  it('migrates once when several instances start at once', async () => {
    const apps = await Promise.all([start(CreateThing1800000000000), start(CreateThing1800000000000)]);
    for (const app of apps) await app.close();
  });

  it('waits for a database that is not there yet', async () => {
    await postgres.crash();
    const starting = start(CreateThing1800000000000);
    await postgres.start();
    const app = await starting;
    expect((await fetch(`${await app.getUrl()}/readyz`)).status).toBe(200);
    await app.close();
  });
});
