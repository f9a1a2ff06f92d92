import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline, Performs } from '@berth/actions';
import { actions, schedulerRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { LogStreams } from './log-streams.js';
import { ServicesService } from './services.js';

@Controller()
export class ServicesController {
  constructor(
    private readonly services: ServicesService,
    private readonly streams: LogStreams,
    private readonly pipeline: ActionPipeline,
  ) {}

  @Handles(schedulerRpc.listServices)
  @Performs(actions.serviceList)
  list({
    project,
    environment,
  }: z.infer<typeof schedulerRpc.listServices.request>): Promise<
    z.infer<typeof schedulerRpc.listServices.response>
  > {
    return this.services.list(project, environment);
  }

  @Handles(schedulerRpc.streamLogs)
  @Performs(actions.serviceLogs)
  async logs(
    request: z.infer<typeof schedulerRpc.streamLogs.request>,
  ): Promise<z.infer<typeof schedulerRpc.streamLogs.response>> {
    const { project, environment, service, stream, follow, tail, since } = request;
    const resource = await this.services.resource(project, environment, service);
    return this.pipeline.read({ action: actions.serviceLogs, resource, context: { follow } }, () => {
      const wanted = { service, follow, tail, ...(since === undefined ? {} : { since: new Date(since) }) };
      this.streams.start(stream, { project, environment }, wanted);
      return Promise.resolve({ stream });
    });
  }
}
