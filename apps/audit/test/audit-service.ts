import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Pool } from 'pg';
import type { AuditRecord } from '@berth/contracts';
import { ensureStreams } from '@berth/messaging';
import { createService, readEnv } from '@berth/runtime';
import { createTestDatabase, testNats, type TestDatabase } from '@berth/testing';
import { auditService } from '../src/app.module.js';
import { AuditEnv } from '../src/env.js';

/** The environment of the audit service on a database of its own. */
export async function auditEnvironment(databaseUrl: string): Promise<Record<string, string>> {
  const { env } = await testNats('audit');
  return { ...env, DATABASE_URL: databaseUrl, LOG_LEVEL: 'silent' };
}

export function startAudit(environment: Record<string, string>): Promise<NestFastifyApplication> {
  return createService(auditService(readEnv(AuditEnv, environment)));
}

/** Another service that sends its records, as a relay of an outbox does. */
export class RecordSource {
  private constructor(private readonly connection: NatsConnection) {}

  static async connect(): Promise<RecordSource> {
    const connection = await connect(await testNats('scheduler'));
    await ensureStreams(connection);
    return new RecordSource(connection);
  }

  async send(records: AuditRecord[]): Promise<void> {
    const stream = jetstream(this.connection);
    // The acknowledgements of as many as a stream takes in flight without complaint.
    for (let from = 0; from < records.length; from += 500) {
      await Promise.all(
        records.slice(from, from + 500).map((sent) =>
          stream.publish('berth.records.scheduler', JSON.stringify(sent), {
            msgID: sent.id,
            // How fast it is on a busy machine is nothing that a test of losses asks about.
            timeout: 60_000,
          }),
        ),
      );
    }
  }

  /** Sends anything at all. */
  async sendRaw(payload: string | Uint8Array): Promise<void> {
    await jetstream(this.connection).publish('berth.records.scheduler', payload);
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** The audit service in this process, with what a spec needs around it. */
export class RunningAudit {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly database: TestDatabase,
    readonly source: RecordSource,
    /** The service's own role: what it may do, and nothing more. */
    readonly sql: Pool,
  ) {}

  static async start(): Promise<RunningAudit> {
    const database = await createTestDatabase('audit');
    const app = await startAudit(await auditEnvironment(database.url));
    const sql = new Pool({ connectionString: database.url, max: 2 });
    return new RunningAudit(app, database, await RecordSource.connect(), sql);
  }

  async stop(): Promise<void> {
    await this.source.close();
    await this.app.close();
    await this.sql.end();
    await this.database.drop();
  }

  async count(table: 'records' | 'rejected'): Promise<number> {
    const { rows } = await this.sql.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
    return Number(rows[0].count);
  }

  /** The value of a metric; undefined when it is not there. */
  async metric(name: string): Promise<number | undefined> {
    const page = await (await fetch(`${await this.app.getUrl()}/metrics`)).text();
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1];
    return value === undefined ? undefined : Number(value);
  }
}

/** A change by ann in `shop.dev` of team acme, unless told otherwise. */
export function record(told: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: randomUUID(),
    time: new Date().toISOString(),
    source: 'scheduler',
    action: 'deployment.create',
    kind: 'change',
    outcome: 'succeeded',
    code: null,
    reason: null,
    actor: 'ann',
    tokenId: randomUUID(),
    team: 'acme',
    project: 'shop',
    environment: 'dev',
    resource: { type: 'Environment', id: 'shop.dev' },
    policies: [{ id: 'team-developers', message: 'Developers may.' }],
    decisions: [randomUUID()],
    correlationId: randomUUID(),
    request: { services: ['web'], instances: 2 },
    ...told,
  };
}
