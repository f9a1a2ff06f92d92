import { Body, Controller, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, CollectedGarbage, CollectGarbage, registryRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { Operation } from '../http/operation.js';

@ApiTags('Images')
@Controller('v1/images')
export class ImagesController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post('collect')
  @Operation(actions.imageCollect, {
    answer: CollectedGarbage,
    description:
      'What no image names goes, beside pushes that go on. The registry does so by itself every hour, with a grace period of a day.',
  })
  collect(@Body({ schema: CollectGarbage }) body: CollectGarbage): Promise<CollectedGarbage> {
    return this.rpc.call(registryRpc.collect, body);
  }
}
