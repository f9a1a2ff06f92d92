import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { ServicesService } from './services.js';

@Controller()
export class ServicesController {
  constructor(private readonly services: ServicesService) {}

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
}
