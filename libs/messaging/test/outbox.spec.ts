import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { DataSource } from 'typeorm';
import { teamCreated, type CloudEvent } from '@berth/contracts';
import {
  createLogger,
  createService,
  DatabaseModule,
  newRequestContext,
  RuntimeModule,
  runInContext,
} from '@berth/runtime';
import {
  createTestDatabase,
  eventually,
  startTestNats,
  type TestDatabase,
  type TestNats,
} from '@berth/testing';
import {
  BatchConsumer,
  connectNats,
  CreateOutbox1700000000000,
  draftEvent,
  MessagingModule,
  NATS_CONNECTION,
  Outbox,
  serveRpc,
} from '../src/index.js';

describe('the outbox', () => {
  let nats: TestNats;
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let reader: NatsConnection;

  const draft = (name: string) =>
    draftEvent(teamCreated, { team: name }, { name, createdAt: new Date().toISOString() });
  const write = (name: string) =>
    app.get(DataSource).transaction((transaction) => app.get(Outbox).event(transaction, draft(name)));
  const waiting = async (): Promise<number> => {
    const rows: { count: string }[] = await app.get(DataSource).query('SELECT count(*) FROM outbox');
    return Number(rows[0].count);
  };
  const published = async (team: string): Promise<CloudEvent[]> => {
    const manager = await jetstreamManager(app.get<NatsConnection>(NATS_CONNECTION), { checkAPI: false });
    const { state } = await manager.streams.info('EVENTS', { subjects_filter: `berth.events.${team}.>` });
    const subjects = Object.entries(state.subjects ?? {});
    expect(subjects.every(([subject]) => subject === `berth.events.${team}._._.team.created.v1`)).toBe(true);
    return Array.from({ length: subjects.reduce((sum, [, count]) => sum + count, 0) }) as CloudEvent[];
  };

  beforeAll(async () => {
    nats = await startTestNats();
    database = await createTestDatabase('policy');
    const env = {
      ...nats.as('policy').env,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'silent' as const,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
    };
    @Module({
      imports: [
        RuntimeModule.forService('policy', env),
        DatabaseModule.forService({
          service: 'policy',
          env,
          entities: [],
          migrations: [CreateOutbox1700000000000],
        }),
        MessagingModule.forService({ service: 'policy', env, outbox: true }),
      ],
    })
    class App {}
    app = await createService({ name: 'policy', module: App, env, prepare: [serveRpc] });
    reader = await connectNats({ service: 'observer', env: nats.as('observer').env });
  });

  afterAll(async () => {
    await reader?.close();
    await app?.close();
    await database?.drop();
    await nats?.remove();
  });

  it('publishes what was committed, as a CloudEvent on the subject of its team', async () => {
    const heard: CloudEvent[] = [];
    reader.subscribe('berth.events.alpha.>', {
      callback: (_error, message) => void heard.push(message.json()),
    });
    await reader.flush();
    await runInContext(newRequestContext('trace-1'), () => write('alpha'));
    await eventually(() => expect(heard).toHaveLength(1));
    expect(heard[0]).toMatchObject({
      specversion: '1.0',
      type: 'team.created.v1',
      source: '/berth/policy',
      correlationid: 'trace-1',
      data: { name: 'alpha' },
    });
  });

  it('publishes nothing of a transaction that was rolled back', async () => {
    const failed = app.get(DataSource).transaction(async (transaction) => {
      await app.get(Outbox).event(transaction, draft('never'));
      throw new Error('changed our mind');
    });
    await expect(failed).rejects.toThrow('changed our mind');
    await write('after-never');
    await eventually(async () => expect(await published('after-never')).toHaveLength(1));
    expect(await published('never')).toHaveLength(0);
  });

  it('publishes a row once, also when a crash has it sent again', async () => {
    const send = (position: string) =>
      app.get(DataSource).query(
        `INSERT INTO outbox (id, subject, payload)
         VALUES ('01900000-0000-7000-8000-000000000001', 'berth.events.twice._._.team.created.v1', $1)`,
        [position],
      );
    await send('first');
    await eventually(async () => expect(await waiting()).toBe(0));
    await send('again');
    await eventually(async () => expect(await waiting()).toBe(0));
    expect(await published('twice')).toHaveLength(1);
  });

  it('keeps what cannot be published until the bus is back', async () => {
    await nats.stop();
    await write('patient');
    expect(await waiting()).toBe(1);
    await nats.start();
    await eventually(async () => expect(await waiting()).toBe(0), { timeout: 20_000 });
    expect(await published('patient')).toHaveLength(1);
  });

  it('gives a batch to its consumer again when the commit failed', async () => {
    const connection = await connectNats({ service: 'audit', env: nats.as('audit').env });
    const seen: string[] = [];
    let failures = 1;
    const consumer = new BatchConsumer({
      connection,
      logger: createLogger('audit', 'silent'),
      stream: 'RECORDS',
      durable: 'audit',
      handle: (messages: JsMsg[]) => {
        if (failures-- > 0) return Promise.reject(new Error('the database went away'));
        seen.push(...messages.map((message) => message.string()));
        return Promise.resolve();
      },
    });
    consumer.start();
    const publisher = jetstream(app.get<NatsConnection>(NATS_CONNECTION));
    await eventually(() => publisher.publish('berth.records.policy', 'one'));
    await publisher.publish('berth.records.policy', 'two');
    await eventually(() => expect([...seen].sort()).toEqual(['one', 'two']));
    await consumer.stop();
    await connection.close();
  });
});
