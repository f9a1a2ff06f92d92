import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { actions, type statsRpc, type StreamMessage } from '@berth/contracts';
import type { z } from 'zod';
import {
  CONTAINER_ENGINE,
  type ContainerEngine,
  type EnvironmentRef,
  type StatsRequest,
} from '../engine/container-engine.js';
import { environmentResource } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { Admission } from './admission.js';
import { OutStreams } from './out-streams.js';

type Request = z.infer<typeof statsRpc.stream.request>;

/** Who may see what instances use; the looking itself is a stream of its own. */
@Injectable()
export class StatsService {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly admission: Admission,
    private readonly pipeline: ActionPipeline,
    private readonly streams: OutStreams,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  async start({ project, environment, services, stream, follow }: Request): Promise<{ stream: string }> {
    const found = await this.environments.find(project, environment);
    const intent = { action: actions.serviceStats, context: { follow } };
    const send = async (): Promise<{ stream: string }> => {
      const admit = await this.admission.admit(found, services, intent);
      this.streams.start(stream, (signal) =>
        this.looks({ project, environment }, { services, admit, signal }, follow),
      );
      return { stream };
    };
    if (services) return send();
    return this.pipeline.read({ ...intent, resource: environmentResource(found) }, send);
  }

  private async *looks(
    target: EnvironmentRef,
    request: StatsRequest,
    follow: boolean,
  ): AsyncIterable<StreamMessage> {
    for await (const items of this.engine.stats(target, request)) {
      yield { type: 'stats', items };
      if (!follow) return;
    }
  }
}
