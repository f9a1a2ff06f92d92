import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { AuditRecord, CloudEvent } from '@berth/contracts';
import { testNats } from '@berth/testing';

/** What the registry has told the audit log and whoever listens to events so far. */
export class Told {
  readonly records: AuditRecord[] = [];
  readonly events: CloudEvent[] = [];

  private constructor(
    private readonly audit: NatsConnection,
    private readonly observer: NatsConnection,
  ) {}

  static async start(): Promise<Told> {
    const [audit, observer] = await Promise.all([testNats('audit'), testNats('observer')]);
    const told = new Told(await connect(audit), await connect(observer));
    told.observer.subscribe('berth.events.>', {
      callback: (_error, message) => void told.events.push(message.json<CloudEvent>()),
    });
    const manager = await jetstreamManager(told.audit, { checkAPI: false });
    await manager.consumers.add('RECORDS', { durable_name: 'spec', ack_policy: AckPolicy.Explicit });
    return told;
  }

  /** Takes in what was published since. */
  async refresh(): Promise<this> {
    const consumer = await jetstream(this.audit, { checkAPI: false }).consumers.get('RECORDS', 'spec');
    for await (const message of await consumer.fetch({ max_messages: 500, expires: 1_000 })) {
      this.records.push(message.json<AuditRecord>());
      message.ack();
    }
    return this;
  }

  async stop(): Promise<void> {
    await Promise.all([this.audit.close(), this.observer.close()]);
  }
}
