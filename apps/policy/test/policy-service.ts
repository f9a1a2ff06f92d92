import { jetstream } from '@nats-io/jetstream';
import { createHash, randomBytes } from 'node:crypto';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import {
  BerthError,
  policyRpc,
  Problem,
  type AuditRecord,
  type Decision,
  type DecisionRequest,
  type Principal,
  type RpcDefinition,
} from '@berth/contracts';
import { BatchConsumer, contextHeaders, RECORDS } from '@berth/messaging';
import { createLogger, createService } from '@berth/runtime';
import { createTestDatabase, startTestNats, type TestDatabase, type TestNats } from '@berth/testing';
import { DataSource } from 'typeorm';
import { policyService } from '../src/app.module.js';
import { PolicyEnv } from '../src/env.js';

const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');

/** One or more instances of the service on a database and a bus of their own, asked as other services ask. */
export class PolicyService {
  readonly adminToken = randomBytes(16).toString('hex');
  readonly engineToken = randomBytes(16).toString('hex');
  /** What the audit service would have been sent so far. */
  readonly records: AuditRecord[] = [];
  private readonly apps: NestFastifyApplication[] = [];
  private audit: BatchConsumer | null = null;

  private constructor(
    readonly database: TestDatabase,
    readonly nats: TestNats,
    private readonly connection: NatsConnection,
    private readonly auditConnection: NatsConnection,
    private readonly settings: Record<string, string>,
  ) {}

  static async start(instances = 1, settings: Record<string, string> = {}): Promise<PolicyService> {
    const database = await createTestDatabase('policy');
    const nats = await startTestNats();
    const [gateway, audit] = await Promise.all([connect(nats.as('gateway')), connect(nats.as('audit'))]);
    const service = new PolicyService(database, nats, gateway, audit, settings);
    await Promise.all(Array.from({ length: instances }, () => service.addInstance()));
    service.collectRecords();
    return service;
  }

  async addInstance(): Promise<NestFastifyApplication> {
    const env = PolicyEnv.parse({
      DATABASE_URL: this.database.url,
      ...this.nats.as('policy').env,
      HTTP_PORT: '0',
      LOG_LEVEL: 'silent',
      // Each decision of each spec is checked against Cedar's own.
      DECISION_SHADOW_ONE_IN: '1',
      BERTH_ADMIN_TOKEN_SHA256: sha256(this.adminToken),
      BERTH_ENGINE_TOKEN_SHA256: sha256(this.engineToken),
      BERTH_HOOKS_KEY: randomBytes(32).toString('base64'),
      ...this.settings,
    });
    const app = await createService(policyService(env));
    this.apps.push(app);
    return app;
  }

  get instance(): NestFastifyApplication {
    return this.apps[0];
  }

  /** The service's own connection to its database. */
  get dataSource(): DataSource {
    return this.instance.get(DataSource, { strict: false });
  }

  async stop(): Promise<void> {
    await this.connection.close();
    await Promise.all(this.apps.map((app) => app.close()));
    await this.audit?.stop();
    await this.auditConnection.close();
    await this.nats.remove();
    await this.database.drop();
  }

  private collectRecords(): void {
    this.audit = new BatchConsumer({
      connection: this.auditConnection,
      logger: createLogger('test', 'silent'),
      stream: RECORDS.name,
      durable: 'audit',
      handle: (messages) => {
        for (const message of messages) this.records.push(message.json<AuditRecord>());
        return Promise.resolve();
      },
    });
    this.audit.start();
  }

  /** Throws the BerthError that the service answered. */
  async call<Request extends z.ZodType, Response extends z.ZodType>(
    rpc: RpcDefinition<Request, Response>,
    payload: unknown,
    actor: Principal | null = null,
  ): Promise<z.output<Response>> {
    const body = JSON.stringify({ id: '1', pattern: rpc.subject, data: payload });
    const reply = await this.connection.request(rpc.subject, body, {
      timeout: Math.max(20_000, rpc.timeout),
      headers: actor ? contextHeaders('test', actor) : headers(),
    });
    const packet = reply.json<{ response?: unknown; err?: unknown }>();
    if (packet.err) throw BerthError.fromProblem(Problem.parse(packet.err));
    return rpc.response.parse(packet.response);
  }

  /** An event, as the scheduler publishes its own. */
  async publish(subject: string, event: object): Promise<void> {
    const connection = await connect(this.nats.as('scheduler'));
    await jetstream(connection).publish(subject, JSON.stringify(event));
    await connection.close();
  }

  /** Events as subscribers see them, from now on. */
  hear(type: string): { type: string; data: unknown }[] {
    const heard: { type: string; data: unknown }[] = [];
    const callback = (error: Error | null, message: { json<T>(): T }): void => {
      if (!error) heard.push(message.json());
    };
    this.connection.subscribe(`berth.events.*.*.*.${type}`, { callback });
    return heard;
  }

  login(token: string): Promise<Principal> {
    return this.call(policyRpc.authenticate, { token });
  }

  admin(): Promise<Principal> {
    return this.login(this.adminToken);
  }

  /** A new user, in a team or none, with a token. */
  async person(
    name: string,
    membership?: { team: string; role: string },
    scopes = ['*'],
  ): Promise<{ principal: Principal; token: string }> {
    const admin = await this.admin();
    await this.call(policyRpc.createUser, { name }, admin);
    if (membership) await this.call(policyRpc.setMember, { ...membership, user: name }, admin);
    const { token } = await this.call(policyRpc.createToken, { user: name, scopes }, admin);
    return { principal: await this.login(token), token };
  }

  decide(
    principal: Principal,
    request: Partial<DecisionRequest> & Pick<DecisionRequest, 'action' | 'resource'>,
  ): Promise<Decision> {
    const { user, tokenId } = principal;
    return this.call(policyRpc.decide, {
      hook: 'before',
      context: {},
      principal: { user, tokenId },
      ...request,
    });
  }
}

/** The error of a call that must fail. */
export function failure(call: Promise<unknown>): Promise<BerthError> {
  return call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: BerthError) => error,
  );
}
