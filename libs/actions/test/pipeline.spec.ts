import { randomUUID } from 'node:crypto';
import { Controller, Get, Module, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import {
  actions,
  BerthError,
  projectCreated,
  schedulerRpc,
  type AuditRecord,
  type Decision,
  type DecisionRequest,
  type Principal,
} from '@berth/contracts';
import { createLogger, createService, DatabaseModule, RuntimeModule } from '@berth/runtime';
import {
  BatchConsumer,
  connectNats,
  CreateOutbox1700000000000,
  draftEvent,
  Handles,
  MessagingModule,
  type NatsLink,
  RpcClient,
  serveRpc,
} from '@berth/messaging';
import {
  createTestDatabase,
  eventually,
  startTestNats,
  type TestDatabase,
  type TestNats,
} from '@berth/testing';
import {
  ActionPipeline,
  ActionsModule,
  checkMediation,
  entrances,
  Performs,
  POLICY_PORT,
  Public,
  QUOTA_PORT,
  ReadRecorder,
  RemotePolicy,
} from '../src/index.js';

const actor: Principal = {
  user: 'ada',
  kind: 'user',
  admin: false,
  teams: [],
  tokenId: null,
  scopes: ['*'],
  expiresAt: null,
};

/** Policy's side of the port, told by each test what to answer: the pipeline is what is tried here. */
const policy = {
  asked: [] as DecisionRequest[],
  answers: {} as Partial<Record<'before' | 'after', Partial<Decision> | Error>>,
  decide(request: DecisionRequest): Promise<Decision> {
    this.asked.push(request);
    const answer = this.answers[request.hook] ?? {};
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({
      id: '01900000-0000-7000-8000-000000000009',
      allowed: true,
      visible: true,
      policies: [],
      advice: [],
      revision: 1,
      reusable: false,
      ...answer,
    });
  },
};
/** Quota's side. */
const quota = {
  reserved: true,
  reserve: () => {
    const limits = [
      { scope: 'teams', name: 'acme', dimension: 'instances', limit: 1, used: 1, requested: 1 } as const,
    ];
    return Promise.resolve(
      quota.reserved ? { reserved: true, limits: [] } : { reserved: false, limits: [...limits] },
    );
  },
};
const denied = (visible: boolean) => ({
  allowed: false,
  visible,
  policies: [{ id: 'no-fridays', message: 'Not on a Friday.' }],
});

@Controller()
class Projects {
  static fails = false;
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly database: DataSource,
  ) {}

  @Handles(schedulerRpc.createProject)
  @Performs(actions.projectCreate)
  create({ name, team }: { name: string; team: string }) {
    return this.pipeline.change(
      {
        action: actions.projectCreate,
        resource: { type: 'Team', id: team, team },
        // No fact of this action: it is to go no further.
        context: { ...{ password: 'hunter2' }, name },
      },
      async (transaction) => {
        await transaction.query('INSERT INTO thing (name) VALUES ($1)', [name]);
        if (Projects.fails) throw new BerthError('CONFLICT', 'it does not fit');
        const result = { name, team, createdAt: new Date().toISOString() };
        const events = [draftEvent(projectCreated, { team, project: name }, result)];
        return { result, outcome: {}, events };
      },
    );
  }

  @Handles(schedulerRpc.getProject)
  @Performs(actions.projectRead)
  get({ project }: { project: string }) {
    return this.pipeline.read(
      { action: actions.projectRead, resource: { type: 'Project', id: project, team: 'acme' }, context: {} },
      () => Promise.resolve({ name: project, team: 'acme', createdAt: new Date().toISOString() }),
    );
  }

  @Handles(schedulerRpc.removeProject)
  @Performs(actions.projectRemove)
  async remove() {
    await this.database.query("INSERT INTO thing (name) VALUES ('gone round the pipeline')");
    return {};
  }
}

class CreateThing1800000000000 {
  readonly name = 'CreateThing1800000000000';
  up = (runner: { query(sql: string): Promise<unknown> }) =>
    runner.query('CREATE TABLE thing (name text PRIMARY KEY)').then(() => undefined);
  down = (runner: { query(sql: string): Promise<unknown> }) =>
    runner.query('DROP TABLE thing').then(() => undefined);
}

describe('the pipeline', () => {
  let nats: TestNats;
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let rpc: RpcClient;

  const create = (name: string) => rpc.call(schedulerRpc.createProject, { name, team: 'acme' }, { actor });
  const things = async (): Promise<string[]> => {
    const rows: { name: string }[] = await app.get(DataSource).query('SELECT name FROM thing ORDER BY name');
    return rows.map(({ name }) => name);
  };
  const records: AuditRecord[] = [];
  /** Names of the projects that events told of. */
  const told: string[] = [];
  const closing: { close(): Promise<void> }[] = [];
  let consumer: BatchConsumer;

  const startWith = (controllers: Type[]) => {
    const env = {
      ...nats.as('scheduler').env,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'silent' as const,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
    };
    @Module({
      imports: [
        RuntimeModule.forService('scheduler', env),
        DatabaseModule.forService({
          service: 'scheduler',
          env,
          entities: [],
          migrations: [CreateOutbox1700000000000, CreateThing1800000000000],
        }),
        MessagingModule.forService({ service: 'scheduler', env, outbox: true }),
        ActionsModule.forService({
          policy: { provide: POLICY_PORT, useValue: policy },
          quota: { provide: QUOTA_PORT, useValue: quota },
        }),
      ],
      controllers,
    })
    class App {}
    return createService({ name: 'scheduler', module: App, env, prepare: [checkMediation, serveRpc] });
  };

  beforeAll(async () => {
    nats = await startTestNats();
    database = await createTestDatabase('scheduler');
    app = await startWith([Projects]);
    rpc = app.get(RpcClient);
    // The scheduler may publish its requests to others only: this spec asks it from the gateway's place.
    const gateway = await connectNats({ service: 'gateway', env: nats.as('gateway').env });
    rpc = new RpcClient({ connected: true, connection: gateway } as NatsLink);
    const audit = await connectNats({ service: 'audit', env: nats.as('audit').env });
    const observer = await connectNats({ service: 'observer', env: nats.as('observer').env });
    observer.subscribe('berth.events.>', {
      callback: (_error, message) => void told.push(message.json<{ data: { name: string } }>().data.name),
    });
    closing.push(gateway, audit, observer);
    consumer = new BatchConsumer({
      connection: audit,
      logger: createLogger('audit', 'silent'),
      stream: 'RECORDS',
      durable: 'audit',
      handle: (messages) =>
        Promise.resolve(messages.forEach((message) => records.push(message.json<AuditRecord>()))),
    });
    consumer.start();
  });

  afterAll(async () => {
    await consumer?.stop();
    for (const connection of closing) await connection.close();
    await app?.close();
    await database?.drop();
    await nats?.remove();
  });

  beforeEach(() => {
    policy.asked = [];
    policy.answers = {};
    Projects.fails = false;
  });

  /** The one record of the project of this name, or of this action. */
  const recorded = (what: string, outcome: string) =>
    eventually(() => {
      const found = records.filter(({ request, action }) => request.name === what || action === what);
      expect(found.map((record) => record.outcome)).toEqual([outcome]);
      return found[0];
    });

  it('asks before and after, and records the change with it', async () => {
    await create('one');
    expect(policy.asked.map(({ hook, principal }) => [hook, principal.user])).toEqual([
      ['before', 'ada'],
      ['after', 'ada'],
    ]);
    expect(await things()).toEqual(['one']);
    expect(await recorded('one', 'succeeded')).toMatchObject({
      action: 'project.create',
      actor: 'ada',
      team: 'acme',
      request: { name: 'one' },
    });
    await eventually(() => expect(told).toEqual(['one']));
  });

  it('asks with the facts that the catalog has, and records no other', async () => {
    await create('facts');
    expect(policy.asked[0].context).toEqual({ name: 'facts' });
    expect((await recorded('facts', 'succeeded')).request).toEqual({ name: 'facts' });
  });

  it('shows nothing that it could keep no record of', async () => {
    const room = jest.spyOn(app.get(ReadRecorder), 'hasRoom', 'get').mockReturnValue(false);
    await expect(rpc.call(schedulerRpc.getProject, { project: 'full' }, { actor })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    room.mockRestore();
  });

  it('does not go on without quota, and records that', async () => {
    const pipeline = app.get(ActionPipeline);
    const resource = { type: 'Team', id: 'acme', team: 'acme' } as const;
    const intent = { action: actions.projectCreate, resource, context: { name: 'eight' }, actor };
    const grant = await pipeline.authorize(intent);
    const wanted = { id: randomUUID(), scopes: [], amounts: {} } as never;
    await expect(pipeline.reserve(grant, wanted)).resolves.toBeUndefined();
    quota.reserved = false;
    await expect(pipeline.reserve(grant, wanted)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    quota.reserved = true;
    expect(await recorded('eight', 'denied')).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      reason: expect.stringContaining('teams/acme: the limit of instances is 1') as string,
    });
  });

  it('takes silence of the policy service for a no', async () => {
    const asked = {
      action: 'project.read',
      hook: 'before',
      principal: actor,
      resource: {},
      context: {},
    } as never;
    await expect(new RemotePolicy(rpc).decide(asked)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  });

  it('does nothing when before says no, says which policy and what it says, and records it', async () => {
    policy.answers.before = denied(true);
    await expect(create('two')).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      extensions: { policies: denied(true).policies },
    });
    expect(await things()).not.toContain('two');
    expect(await recorded('two', 'denied')).toMatchObject({
      code: 'POLICY_DENIED',
      policies: denied(true).policies,
    });
  });

  it('undoes what was done when after says no', async () => {
    policy.answers.after = denied(true);
    await expect(create('three')).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    expect(await things()).not.toContain('three');
    expect(await recorded('three', 'denied')).toMatchObject({ policies: denied(true).policies });
  });

  it('tells whoever may not know of it that there is nothing, and records the denial', async () => {
    policy.answers.before = denied(false);
    const error = (await create('four').catch((thrown: unknown) => thrown)) as BerthError;
    expect(error.code).toBe('NOT_FOUND');
    expect(JSON.stringify(error.toProblem())).not.toContain('no-fridays');
    expect(await recorded('four', 'denied')).toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each(['before', 'after'] as const)('fails closed when policy does not answer %s', async (hook) => {
    policy.answers[hook] = new BerthError('POLICY_UNAVAILABLE', 'Policy gave no answer.');
    await expect(create(`five-${hook}`)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE', status: 503 });
    expect(await things()).not.toContain(`five-${hook}`);
    expect(await recorded(`five-${hook}`, 'failed')).toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  });

  it('records a change that failed, and leaves nothing of it', async () => {
    Projects.fails = true;
    await expect(create('six')).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await things()).not.toContain('six');
    expect(await recorded('six', 'failed')).toMatchObject({ code: 'CONFLICT' });
  });

  it('records a read within a second or so', async () => {
    await rpc.call(schedulerRpc.getProject, { project: 'shop' }, { actor });
    expect(await recorded('project.read', 'succeeded')).toMatchObject({
      kind: 'read',
      action: 'project.read',
    });
  });

  it('takes no request without an actor', async () => {
    await expect(
      rpc.call(schedulerRpc.createProject, { name: 'seven', team: 'acme' }, { actor: null }),
    ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(policy.asked).toEqual([]);
  });

  it('gives no answer from a handler that went round it', async () => {
    await expect(rpc.call(schedulerRpc.removeProject, { project: 'shop' }, { actor })).rejects.toMatchObject({
      code: 'UNMEDIATED',
    });
  });

  it('knows every entrance of a service', () => {
    const found = Object.fromEntries(
      entrances(app).map(({ handler, action, publicReason }) => [handler, action ?? publicReason]),
    );
    expect(found).toMatchObject({ 'Projects.create': 'project.create', 'Projects.get': 'project.read' });
    expect(Object.values(found)).not.toContain(null);
  });

  it('keeps a service with an open entrance from starting', async () => {
    @Controller('open')
    class Open {
      @Get()
      look(): string {
        return 'nobody was asked';
      }
    }
    @Controller('reasonless')
    class Reasonless {
      @Get()
      @Public(' ')
      look(): string {
        return 'nobody knows why';
      }
    }
    await expect(startWith([Open])).rejects.toThrow(/Open\.look/);
    await expect(startWith([Reasonless])).rejects.toThrow(/Reasonless\.look/);
  });
});
