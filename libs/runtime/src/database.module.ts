import { type DynamicModule, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import {
  DataSource,
  type DataSourceOptions,
  type EntityTarget,
  type Logger,
  type MigrationInterface,
} from 'typeorm';
import type { DatabaseEnv } from './env.js';
import { isDatabaseNotYetThere } from './failures.js';
import { Health } from './health.js';

export interface DatabaseOptions {
  service: string;
  env: Pick<DatabaseEnv, 'DATABASE_URL'>;
  entities: (new () => object)[];
  migrations: (new () => MigrationInterface)[];
}

// Any number: the lock is per database, and all our services migrate one after the other.
const MIGRATION_LOCK = 4_400_001;

/** Migrates under an advisory lock: instances and services that start at once would race for the same tables. */
export async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
  }
}

/** TypeORM's own lines are no JSON. What goes wrong is thrown, and logged by whoever catches it. */
class NoLines implements Logger {
  logQuery(): void {}
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

@Injectable()
class DatabaseHealth implements OnModuleInit {
  constructor(
    private readonly health: Health,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  onModuleInit(): void {
    this.health.add('database', async () => {
      await this.dataSource.query('SELECT 1');
    });
  }
}

/** The service's own schema: the search_path of its role points there, so no name is written with a schema. */
@Module({})
export class DatabaseModule {
  static forService({ service, env, entities, migrations }: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            type: 'postgres' as const,
            url: env.DATABASE_URL,
            applicationName: `berth-${service}`,
            entities: entities as EntityTarget<object>[] as DataSourceOptions['entities'],
            migrations,
            synchronize: false,
            logger: new NoLines(),
            retryAttempts: 240,
            retryDelay: 500,
            // A migration that fails would fail again: only waiting for the database makes sense.
            toRetry: isDatabaseNotYetThere,
            poolSize: 10,
            extra: {
              connectionTimeoutMillis: 5_000,
              statement_timeout: 30_000,
              idle_in_transaction_session_timeout: 60_000,
            },
          }),
          dataSourceFactory: async (options) => {
            if (!options) throw new Error('the database has no options');
            const dataSource = await new DataSource(options).initialize();
            await migrate(dataSource).catch(async (error: unknown) => {
              await dataSource.destroy();
              throw error;
            });
            return dataSource;
          },
        }),
      ],
      providers: [DatabaseHealth],
    };
  }
}
