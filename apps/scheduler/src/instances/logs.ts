import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { actions, type instancesRpc, type StreamMessage } from '@berth/contracts';
import type { z } from 'zod';
import { CONTAINER_ENGINE, type ContainerEngine, type LogRequest } from '../engine/container-engine.js';
import { environmentResource } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { Admission } from './admission.js';
import { OutStreams } from './out-streams.js';

type OfService = z.infer<typeof instancesRpc.streamLogs.request>;
type OfEnvironment = z.infer<typeof instancesRpc.streamEnvironmentLogs.request>;

/** Who may read the output of what; the reading itself is a stream of its own. */
@Injectable()
export class LogsService {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly admission: Admission,
    private readonly pipeline: ActionPipeline,
    private readonly streams: OutStreams,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  async ofService({ service, ...request }: OfService): Promise<{ stream: string }> {
    const found = await this.environments.find(request.project, request.environment);
    const { follow } = request;
    await this.admission.admit(found, [service], { action: actions.serviceLogs, context: { follow } });
    return this.send(request, { services: [service] });
  }

  /** A service that comes while they are followed ends the stream where it is denied. */
  async ofEnvironment({ services, ...request }: OfEnvironment): Promise<{ stream: string }> {
    const found = await this.environments.find(request.project, request.environment);
    const resource = environmentResource(found);
    const context = { follow: request.follow };
    return this.pipeline.read({ action: actions.environmentLogs, resource, context }, async () => {
      const admit = await this.admission.admit(found, services, { action: actions.serviceLogs, context });
      return this.send(request, { services, admit });
    });
  }

  private send(
    { project, environment, stream, follow, tail, since }: Omit<OfEnvironment, 'services'>,
    what: Pick<LogRequest, 'services' | 'admit'>,
  ): { stream: string } {
    const request = { ...what, follow, tail, ...(since === undefined ? {} : { since: new Date(since) }) };
    this.streams.start(stream, (signal) => this.lines({ project, environment }, { ...request, signal }));
    return { stream };
  }

  private async *lines(
    target: { project: string; environment: string },
    request: LogRequest,
  ): AsyncIterable<StreamMessage> {
    for await (const line of this.engine.logs(target, request)) yield { type: 'line', line };
  }
}
