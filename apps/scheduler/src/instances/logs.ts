import { Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { actions, type instancesRpc, type ResourceRef } from '@berth/contracts';
import type { z } from 'zod';
import type { LogRequest } from '../engine/container-engine.js';
import { environmentResource } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { serviceResource, ServicesService } from '../services/services.js';
import { LogStreams } from './log-streams.js';

type OfService = z.infer<typeof instancesRpc.streamLogs.request>;
type OfEnvironment = z.infer<typeof instancesRpc.streamEnvironmentLogs.request>;

/** Who may read the output of what; the reading itself is a stream of its own. */
@Injectable()
export class LogsService {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly services: ServicesService,
    private readonly pipeline: ActionPipeline,
    private readonly streams: LogStreams,
  ) {}

  async ofService(request: OfService): Promise<{ stream: string }> {
    const { project, environment, service, stream, follow } = request;
    const found = await this.environments.find(project, environment);
    const [resource] = (await this.services.resources(found, [service])).values();
    return this.pipeline.read({ action: actions.serviceLogs, resource, context: { follow } }, () => {
      this.streams.start(stream, { project, environment }, { ...wantedOf(request), services: [service] });
      return Promise.resolve({ stream });
    });
  }

  /**
   * Reading several at once opens no way round a rule about one of them: each is asked about, and so is a service that
   * comes while they are followed, which ends the stream where it is denied.
   */
  async ofEnvironment(request: OfEnvironment): Promise<{ stream: string }> {
    const { project, environment, services, stream, follow } = request;
    const found = await this.environments.find(project, environment);
    const read = (resource: ResourceRef): Promise<void> =>
      this.pipeline.read({ action: actions.serviceLogs, resource, context: { follow } }, () =>
        Promise.resolve(),
      );
    const intent = {
      action: actions.environmentLogs,
      resource: environmentResource(found),
      context: { follow },
    };
    return this.pipeline.read(intent, async () => {
      const present = await this.services.resources(found, services);
      for (const resource of present.values()) await read(resource);
      const admitted = new Map([...present.keys()].map((name) => [name, Promise.resolve()]));
      const admit = (name: string): Promise<void> => {
        const answer = admitted.get(name) ?? read(serviceResource(found, name));
        admitted.set(name, answer);
        return answer;
      };
      this.streams.start(stream, { project, environment }, { ...wantedOf(request), services, admit });
      return { stream };
    });
  }
}

function wantedOf({
  follow,
  tail,
  since,
}: OfService | OfEnvironment): Omit<LogRequest, 'signal' | 'services'> {
  return { follow, tail, ...(since === undefined ? {} : { since: new Date(since) }) };
}
