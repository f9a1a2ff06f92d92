import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, execRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { ExecService } from './exec.js';

@Controller()
export class ExecController {
  constructor(private readonly exec: ExecService) {}

  @Handles(execRpc.start)
  @Performs(actions.serviceExec)
  start(request: z.infer<typeof execRpc.start.request>): Promise<z.infer<typeof execRpc.start.response>> {
    return this.exec.start(request);
  }
}
