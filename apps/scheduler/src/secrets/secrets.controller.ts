import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, secretRpc, type Page, type Secret } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { SecretsService } from './secrets.js';

@Controller()
export class SecretsController {
  constructor(private readonly secrets: SecretsService) {}

  @Handles(secretRpc.remove)
  @Performs(actions.secretRemove)
  remove(request: z.infer<typeof secretRpc.remove.request>): Promise<Record<string, never>> {
    return this.secrets.remove(request);
  }

  @Handles(secretRpc.list)
  @Performs(actions.secretList)
  list(request: z.infer<typeof secretRpc.list.request>): Promise<Page<Secret>> {
    return this.secrets.list(request);
  }
}
