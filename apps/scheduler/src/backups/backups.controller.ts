import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, resourceRpc, type Page, type ResourceOperation } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { OperationsService } from './operations.js';

@Controller()
export class BackupsController {
  constructor(private readonly operations: OperationsService) {}

  @Handles(resourceRpc.backUp)
  @Performs(actions.resourceBackup)
  backUp(request: z.infer<typeof resourceRpc.backUp.request>): Promise<ResourceOperation> {
    return this.operations.backUp(request);
  }

  @Handles(resourceRpc.restore)
  @Performs(actions.resourceRestore)
  restore(request: z.infer<typeof resourceRpc.restore.request>): Promise<ResourceOperation> {
    return this.operations.restore(request);
  }

  @Handles(resourceRpc.listOperations)
  @Performs(actions.resourceOperations)
  list(request: z.infer<typeof resourceRpc.listOperations.request>): Promise<Page<ResourceOperation>> {
    return this.operations.list(request);
  }

  @Handles(resourceRpc.getOperation)
  @Performs(actions.resourceOperations)
  get(request: z.infer<typeof resourceRpc.getOperation.request>): Promise<ResourceOperation> {
    return this.operations.get(request);
  }
}
