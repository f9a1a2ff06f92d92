import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { startTestNats, type TestNats } from '../src/index.js';
import type { NatsUser } from '@berth/host';

describe('NATS permissions', () => {
  let nats: TestNats;
  const open: NatsConnection[] = [];

  beforeAll(async () => {
    nats = await startTestNats();
  });

  afterAll(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await nats.remove();
  });

  async function as(user: NatsUser): Promise<NatsConnection> {
    const { servers, pass, inboxPrefix } = nats.as(user);
    const connection = await connect({ servers, user, pass, inboxPrefix, reconnect: false });
    open.push(connection);
    return connection;
  }

  it('refuse whoever brings no password', async () => {
    await expect(connect({ servers: nats.url })).rejects.toThrow(/authorization/i);
    await expect(connect({ servers: nats.url, user: 'policy', pass: 'guess' })).rejects.toThrow(
      /authorization/i,
    );
  });

  it('let a service ask those it may call, and the answer come back', async () => {
    const policy = await as('policy');
    policy.subscribe('berth.rpc.policy.authorize', {
      callback: (_error, message) => void message.respond('allowed'),
    });
    await policy.flush();
    const answer = await (await as('scheduler')).request('berth.rpc.policy.authorize', 'may I?');
    expect(answer.string()).toBe('allowed');
  });

  it('keep a service from calling whom it may not, as policy the scheduler', async () => {
    await expect((await as('policy')).request('berth.rpc.scheduler.deploy')).rejects.toThrow(
      /permissions violation/i,
    );
  });

  it("keep a service from answering in another one's place", async () => {
    const quota = await as('quota');
    const subscription = quota.subscribe('berth.rpc.policy.authorize');
    await expect(nextOf(subscription)).rejects.toThrow(/permissions violation/i);
  });

  it("keep a service from another one's inbox, for reading and for writing", async () => {
    const quota = await as('quota');
    await expect(nextOf(quota.subscribe('_INBOX_policy.>'))).rejects.toThrow(/permissions violation/i);
    expect(await violation(quota, () => quota.publish('_INBOX_policy.forged', 'yes'))).toMatch(
      /_INBOX_policy/,
    );
  });

  it('keep a service from recording in the name of another', async () => {
    const quota = await as('quota');
    expect(await violation(quota, () => quota.publish('berth.records.policy', '{}'))).toMatch(
      /berth\.records\.policy/,
    );
  });

  it('let services publish facts, and the observer follow events but not records', async () => {
    const manager = await jetstreamManager(await as('scheduler'));
    await manager.streams.add({ name: 'EVENTS', subjects: ['berth.events.>'] });
    await manager.streams.add({ name: 'RECORDS', subjects: ['berth.records.*'] });
    const stream = jetstream(await as('scheduler'));
    const unique = headers();
    unique.set('Nats-Msg-Id', 'event-1');
    await stream.publish('berth.events.acme.shop.dev.deployment.succeeded.v1', '{"id":1}', {
      headers: unique,
    });
    await stream.publish('berth.records.scheduler', '{}');

    const observer = await as('observer');
    const observing = await jetstreamManager(observer);
    await observing.consumers.add('EVENTS', { durable_name: 'follower', ack_policy: 'explicit' });
    const consumer = await jetstream(observer).consumers.get('EVENTS', 'follower');
    const message = await consumer.next();
    expect(message?.json()).toEqual({ id: 1 });
    message?.ack();
    await expect(observing.consumers.add('RECORDS', { durable_name: 'spy' })).rejects.toThrow(
      /permissions violation/i,
    );
    await expect(observer.request('berth.rpc.policy.authorize')).rejects.toThrow(/permissions violation/i);
  });

  it('let audit read the records', async () => {
    const audit = await as('audit');
    const manager = await jetstreamManager(audit);
    await manager.consumers.add('RECORDS', { durable_name: 'audit', ack_policy: 'explicit' });
    const consumer = await jetstream(audit).consumers.get('RECORDS', 'audit');
    const message = await consumer.next();
    expect(message?.subject).toBe('berth.records.scheduler');
    expect(await message?.ackAck()).toBe(true);
  });

  it('take up to 8 MiB, and keep streams over a restart', async () => {
    const scheduler = await as('scheduler');
    await jetstream(scheduler).publish('berth.events.acme._._.big.v1', new Uint8Array(7 * 1024 * 1024));
    await nats.stop();
    await nats.start();
    const manager = await jetstreamManager(await as('scheduler'));
    expect((await manager.streams.info('EVENTS')).state.messages).toBe(2);
  });
});

async function nextOf<T>(messages: AsyncIterable<T>): Promise<T | undefined> {
  for await (const message of messages) return message;
  return undefined;
}

/** What the server complains about after an action; publishing tells its caller nothing. */
async function violation(connection: NatsConnection, action: () => void): Promise<string> {
  const status = connection.status();
  action();
  await connection.flush();
  for await (const event of status) {
    if (event.type === 'error') return event.error.message;
  }
  return 'no violation';
}
