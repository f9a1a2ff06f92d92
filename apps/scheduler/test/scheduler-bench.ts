import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Pool } from 'pg';
import {
  isFinished,
  schedulerRpc,
  type AuditRecord,
  type CloudEvent,
  type Deployment,
  type Principal,
  type RpcDefinition,
  type Service,
} from '@berth/contracts';
import type { z } from 'zod';
import { BatchConsumer, NatsLink, RpcClient } from '@berth/messaging';
import {
  createLogger,
  createService,
  Health,
  newRequestContext,
  readEnv,
  runInContext,
} from '@berth/runtime';
import {
  createTestDatabase,
  eventually,
  newPlatformFolder,
  removeWorkloads,
  startTestNats,
  startTestService,
  testEngine,
  testInstallation,
  upstreamRegistry,
  type NatsAccess,
  type TestDatabase,
  type TestNats,
  type TestService,
} from '@berth/testing';
import { schedulerService } from '../src/app.module.js';
import { SchedulerEnv } from '../src/env.js';
import { Neighbours } from './neighbours.js';

/** A developer of team acme, unless told otherwise. */
export function principal(user = 'ann', team = 'acme', admin = false): Principal {
  return {
    user,
    kind: 'user',
    admin,
    teams: [{ team, role: 'developer' }],
    tokenId: null,
    scopes: ['*'],
    expiresAt: null,
  };
}

/** Instances of the scheduler on one database, one bus and the real engine, and a caller with the gateway's credentials. */
export class SchedulerBench {
  private readonly apps: NestFastifyApplication[] = [];

  private constructor(
    readonly neighbours: Neighbours,
    readonly sql: Pool,
    private readonly heard: Heard,
    private readonly parts: {
      nats: TestNats;
      database: TestDatabase;
      gateway: NatsConnection;
      rpc: RpcClient;
    },
    private readonly settings: SchedulerEnv,
  ) {}

  static async start(overrides: Partial<SchedulerEnv> = {}): Promise<SchedulerBench> {
    const [database, nats, dockerHost, { address }] = await Promise.all([
      createTestDatabase('scheduler'),
      startTestNats(),
      testEngine(),
      upstreamRegistry(),
    ]);
    const settings = readEnv(SchedulerEnv, {
      ...nats.as('scheduler').env,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'silent',
      BERTH_INSTALLATION: testInstallation(),
      DOCKER_HOST: dockerHost,
      BERTH_REGISTRY: address,
      BERTH_BACKUPS_FOLDER: join(newPlatformFolder(), 'backups'),
      BERTH_SECRETS_KEY: randomBytes(32).toString('base64'),
    });
    const neighbours = await Neighbours.start(nats);
    const gateway = await open(nats.as('gateway'));
    const rpc = new RpcClient(new NatsLink(gateway, createLogger('gateway', 'silent'), new Health()));
    const sql = new Pool({ connectionString: database.url, max: 4 });
    const parts = { nats, database, gateway, rpc };
    const heard = await listen(nats);
    const bench = new SchedulerBench(neighbours, sql, heard, parts, { ...settings, ...overrides });
    await bench.addScheduler();
    return bench;
  }

  get installation(): string {
    return this.settings.BERTH_INSTALLATION;
  }
  get dockerHost(): string {
    return this.settings.DOCKER_HOST;
  }
  get gateway(): NatsConnection {
    return this.parts.gateway;
  }
  get nats(): TestNats {
    return this.parts.nats;
  }

  async addScheduler(overrides: Partial<SchedulerEnv> = {}): Promise<void> {
    this.apps.push(await createService(schedulerService({ ...this.settings, ...overrides })));
  }

  /** Instead of those within this process: one that can be killed. */
  async startProcess(): Promise<TestService> {
    await this.stopSchedulers();
    const { HTTP_PORT: _port, ...environment } = this.environment();
    return startTestService('scheduler', environment);
  }

  /** What a process of it is started with. */
  environment(overrides: Partial<SchedulerEnv> = {}): Record<string, string> {
    const variables = Object.entries({ ...this.settings, ...overrides });
    return Object.fromEntries(variables.map(([name, value]) => [name, String(value)]));
  }

  /** As SIGTERM does. */
  async stopSchedulers(): Promise<void> {
    await Promise.all(this.apps.splice(0).map((app) => app.close()));
  }

  async stop(): Promise<void> {
    await this.stopSchedulers();
    await Promise.all([this.neighbours.stop(), this.heard.stop()]);
    await this.parts.gateway.close();
    await this.sql.end();
    await removeWorkloads(this.dockerHost, this.installation);
    await this.parts.nats.remove();
    await this.parts.database.drop();
  }

  call<Request extends z.ZodType, Response extends z.ZodType>(
    rpc: RpcDefinition<Request, Response>,
    payload: z.input<Request>,
    actor: Principal | null = principal(),
  ): Promise<z.output<Response>> {
    return runInContext(newRequestContext(randomUUID(), actor), () => this.parts.rpc.call(rpc, payload));
  }

  /** A project of acme's with an environment `dev`, by a name of its own. */
  async shop(variables: Record<string, string> = {}): Promise<{ project: string; environment: string }> {
    const project = `shop${randomBytes(3).toString('hex')}`;
    await this.call(schedulerRpc.createProject, { name: project, team: 'acme' });
    await this.call(schedulerRpc.createEnvironment, { project, name: 'dev', variables });
    return { project, environment: 'dev' };
  }

  deploy(place: { project: string; environment: string }, compose: string): Promise<Deployment> {
    return this.call(schedulerRpc.createDeployment, { ...place, compose });
  }

  deployment(id: string): Promise<Deployment> {
    return this.call(schedulerRpc.getDeployment, { id });
  }

  async finished(id: string, seconds = 40): Promise<Deployment> {
    return eventually(
      async () => {
        const deployment = await this.deployment(id);
        expect(isFinished(deployment.status) ? 'finished' : JSON.stringify(deployment.steps)).toBe(
          'finished',
        );
        return deployment;
      },
      { timeout: seconds * 1_000, interval: 100 },
    );
  }

  async services(place: { project: string; environment: string }): Promise<Service[]> {
    return (await this.call(schedulerRpc.listServices, place)).items;
  }

  /** All events and records that were published, in order. */
  get events(): CloudEvent[] {
    return this.heard.events.map(({ event }) => event);
  }
  get records(): AuditRecord[] {
    return this.heard.records;
  }

  /** Events of a project that were published, in order. */
  eventsOf(project: string): CloudEvent[] {
    return this.heard.events
      .filter(({ subject }) => subject.split('.')[3] === project)
      .map(({ event }) => event);
  }

  /** Audit records of a project that were published, in order. */
  recordsOf(project: string): AuditRecord[] {
    return this.heard.records.filter((record) => record.project === project);
  }
}

interface Heard {
  events: { subject: string; event: CloudEvent }[];
  records: AuditRecord[];
  stop(): Promise<void>;
}

/** Listens to all that is published: to events as anyone may, to records as the audit service does. */
async function listen(nats: TestNats): Promise<Heard> {
  const [observer, audit] = await Promise.all([open(nats.as('observer')), open(nats.as('audit'))]);
  const events: Heard['events'] = [];
  const records: AuditRecord[] = [];
  observer.subscribe('berth.events.>', {
    callback: (_error, message) => void events.push({ subject: message.subject, event: message.json() }),
  });
  const consumer = new BatchConsumer({
    connection: audit,
    logger: createLogger('audit', 'silent'),
    stream: 'RECORDS',
    durable: 'audit',
    handle: (messages) => {
      records.push(...messages.map((message) => message.json<AuditRecord>()));
      return Promise.resolve();
    },
  });
  consumer.start();
  const stop = async (): Promise<void> => {
    await consumer.stop();
    await Promise.all([observer.close(), audit.close()]);
  };
  return { events, records, stop };
}

function open({ servers, user, pass, inboxPrefix }: NatsAccess): Promise<NatsConnection> {
  return connect({ servers, user, pass, inboxPrefix });
}
