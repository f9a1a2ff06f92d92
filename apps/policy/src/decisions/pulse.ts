import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { POLICY_PULSE_MS, POLICY_PULSE_SUBJECT, type PolicyPulse } from '@berth/contracts';
import { NatsLink, Notifications } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import { LivePolicies } from '../policies/live-policies.js';

/**
 * Tells where policy stands: at each change, and all the time, so that whoever hears nothing knows that they know nothing. See ADR
 * 0025.
 */
@Injectable()
export class Pulse implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly notifications: Notifications;
  private timer: NodeJS.Timeout | undefined;
  private telling: Promise<void> | null = null;
  private stopped = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly policies: LivePolicies,
    @Inject(NatsLink) private readonly link: NatsLink,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.notifications = new Notifications(dataSource, 'pulse', () => void this.tellAfter());
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tell(), POLICY_PULSE_MS).unref();
    void this.tell();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.telling;
    await this.notifications.end();
  }

  /** What is being told may have been read before the change. */
  private async tellAfter(): Promise<void> {
    await this.telling;
    await this.tell();
  }

  private tell(): Promise<void> {
    if (this.stopped) return Promise.resolve();
    this.telling ??= this.readAndTell().finally(() => (this.telling = null));
    return this.telling;
  }

  private async readAndTell(): Promise<void> {
    try {
      await this.notifications.listen();
      const [{ epoch, revision }] = await this.dataSource.query<{ epoch: string; revision: number }[]>(
        'SELECT (SELECT epoch FROM identity_epoch) AS epoch, (SELECT revision FROM policy_revision) AS revision',
      );
      // A change is told before the set that it makes is loaded: nobody must go by what was decided before it.
      const pulse: PolicyPulse = { epoch: Number(epoch), revision, open: this.policies.open };
      if (this.link.connected) this.link.connection.publish(POLICY_PULSE_SUBJECT, JSON.stringify(pulse));
    } catch (error) {
      this.logger.debug({ err: error }, 'pulse.missed');
    }
  }
}
