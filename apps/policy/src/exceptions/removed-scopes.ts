import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CloudEvent, environmentRemoved, projectRemoved, type PolicyScope } from '@berth/contracts';
import { BatchConsumer, EVENTS, NatsLink } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import { StalePermits } from '../policies/stale-permits.js';
import { PolicyExceptions } from './policy-exceptions.js';

/**
 * With a project or an environment go the exceptions that were made for it, and what was permitted there: whoever gives something
 * else the same name, of whatever team, has not been excepted from anything.
 */
@Injectable()
export class RemovedScopes implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly consumer: BatchConsumer;

  constructor(
    @Inject(NatsLink) link: NatsLink,
    @Inject(LOGGER) logger: Logger,
    private readonly exceptions: PolicyExceptions,
    private readonly permits: StalePermits,
  ) {
    this.consumer = new BatchConsumer({
      ...{ connection: link.connection, logger, stream: EVENTS.name, durable: 'policy-removed-scopes' },
      // berth.events.<team>.<project>.<environment>.<what>.removed.v1
      subject: 'berth.events.*.*.*.*.removed.v1',
      handle: async (messages) => {
        for (const message of messages) await this.take(CloudEvent.parse(message.json()));
      },
    });
  }

  onApplicationBootstrap(): void {
    this.consumer.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.consumer.stop();
  }

  private async take(event: CloudEvent): Promise<void> {
    const scope = removedScope(event);
    if (scope === null) return;
    const at = new Date(event.time);
    await this.exceptions.endOfRemoved(scope, at);
    await this.permits.endOfRemoved(scope, at);
  }
}

function removedScope({ type, data }: CloudEvent): PolicyScope | null {
  if (type === projectRemoved.type) return `projects/${projectRemoved.data.parse(data).name}`;
  if (type !== environmentRemoved.type) return null;
  const { name, project } = environmentRemoved.data.parse(data);
  return `environments/${project}.${name}`;
}
