import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, instancesRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { LogsService } from './logs.js';

@Controller()
export class LogsController {
  constructor(private readonly logs: LogsService) {}

  @Handles(instancesRpc.streamLogs)
  @Performs(actions.serviceLogs)
  ofService(
    request: z.infer<typeof instancesRpc.streamLogs.request>,
  ): Promise<z.infer<typeof instancesRpc.streamLogs.response>> {
    return this.logs.ofService(request);
  }

  @Handles(instancesRpc.streamEnvironmentLogs)
  @Performs(actions.environmentLogs)
  ofEnvironment(
    request: z.infer<typeof instancesRpc.streamEnvironmentLogs.request>,
  ): Promise<z.infer<typeof instancesRpc.streamEnvironmentLogs.response>> {
    return this.logs.ofEnvironment(request);
  }
}
