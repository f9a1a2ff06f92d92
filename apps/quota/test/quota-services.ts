import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Pool } from 'pg';
import { quotaRpc, type BrokenLimit, type QuotaScope, type Reservation } from '@berth/contracts';
import { NatsLink, RpcClient } from '@berth/messaging';
import { createLogger, createService, Health, readEnv } from '@berth/runtime';
import { createTestDatabase, testNats, type TestDatabase } from '@berth/testing';
import { quotaService } from '../src/app.module.js';
import { QuotaEnv } from '../src/env.js';

export interface Usage {
  cpuMillis: number;
  memoryBytes: number;
  instances: number;
}

/** Instances of the quota service on one database, and a caller with the scheduler's credentials. */
export class QuotaServices {
  private constructor(
    private readonly apps: NestFastifyApplication[],
    private readonly connection: NatsConnection,
    private readonly database: TestDatabase,
    readonly rpc: RpcClient,
    /** The service's own role in its own schema: what the service keeps, seen from behind. */
    readonly sql: Pool,
  ) {}

  static async start(instances: number, overrides: Partial<QuotaEnv> = {}): Promise<QuotaServices> {
    const database = await createTestDatabase('quota');
    const { env } = await testNats('quota');
    const settings = readEnv(QuotaEnv, { DATABASE_URL: database.url, LOG_LEVEL: 'silent', ...env });
    // At once, as a stack starts them: they also race for the migrations.
    const apps = await Promise.all(
      Array.from({ length: instances }, () => createService(quotaService({ ...settings, ...overrides }))),
    );
    const connection = await connect(await testNats('scheduler'));
    const link = new NatsLink(connection, createLogger('scheduler', 'silent'), new Health());
    return new QuotaServices(
      apps,
      connection,
      database,
      new RpcClient(link),
      new Pool({ connectionString: database.url, max: 4 }),
    );
  }

  async stop(): Promise<void> {
    await this.connection.close();
    await Promise.all(this.apps.map((app) => app.close()));
    await this.sql.end();
    await this.database.drop();
  }

  url(instance = 0): Promise<string> {
    return this.apps[instance].getUrl();
  }

  async setLimit(scope: QuotaScope, name: string, limits: Partial<Usage>): Promise<void> {
    await this.sql.query(
      `INSERT INTO limits (scope, name, cpu_millis, memory_bytes, instances) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (scope, name) DO UPDATE
       SET cpu_millis = excluded.cpu_millis, memory_bytes = excluded.memory_bytes, instances = excluded.instances`,
      [scope, name, limits.cpuMillis ?? null, limits.memoryBytes ?? null, limits.instances ?? null],
    );
  }

  async usage(scope: QuotaScope, name: string): Promise<Usage> {
    const { rows } = await this.sql.query<Record<'cpu_millis' | 'memory_bytes' | 'instances', string>>(
      'SELECT * FROM ledger_usage($1, $2)',
      [scope, name],
    );
    const [{ cpu_millis, memory_bytes, instances }] = rows;
    return {
      cpuMillis: Number(cpu_millis),
      memoryBytes: Number(memory_bytes),
      instances: Number(instances),
    };
  }

  /** Lets a reservation's time run out now. */
  async letExpire(id: string): Promise<void> {
    await this.sql.query(
      `UPDATE reservations SET expires_at = clock_timestamp() - interval '1 second' WHERE id = $1 AND state = 'pending'`,
      [id],
    );
  }

  reserve(reservation: Reservation): Promise<{ reserved: boolean; limits: BrokenLimit[] }> {
    return this.rpc.call(quotaRpc.reserve, reservation);
  }

  /** Reserves and commits. Answers the id. */
  async run(reservation: Reservation): Promise<string> {
    expect(await this.reserve(reservation)).toEqual({ reserved: true, limits: [] });
    await this.commit(reservation.id);
    return reservation.id;
  }

  async commit(id: string): Promise<void> {
    await this.rpc.call(quotaRpc.commit, { id });
  }

  async release(id: string): Promise<void> {
    await this.rpc.call(quotaRpc.release, { id });
  }

  async vacate(project: string, environment: string): Promise<void> {
    await this.rpc.call(quotaRpc.vacate, { project, environment });
  }
}

/** A reservation of one instance in `shop.dev` by ann of team acme, unless told otherwise. */
export function reservation({
  amounts,
  ...rest
}: Partial<Omit<Reservation, 'amounts'>> & { amounts?: Partial<Reservation['amounts']> } = {}): Reservation {
  return {
    id: randomUUID(),
    team: 'acme',
    user: 'ann',
    project: 'shop',
    environment: 'dev',
    expiresInSeconds: 600,
    ...rest,
    amounts: { cpu: 0, memory: 0, instances: 1, ...amounts },
  };
}
