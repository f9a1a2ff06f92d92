import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CheckedUpstream,
  NamedUpstream,
  page,
  PageRequest,
  registryRpc,
  SetUpstream,
  Upstream,
  type Page,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { Operation } from '../http/operation.js';

/** Registries that images are pulled through from. */
@ApiTags('Images')
@Controller('v1/upstreams')
export class UpstreamsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.upstreamList, { answer: page(Upstream), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: PageRequest }) query: PageRequest): Promise<Page<Upstream>> {
    return this.rpc.call(registryRpc.upstreams, query);
  }

  @Put(':name')
  @Operation(actions.upstreamSet, {
    answer: Upstream,
    errors: ['CONFLICT'],
    description: 'Known to every instance at once. The password is stored encrypted, and shown to nobody.',
  })
  set(
    @Param({ schema: NamedUpstream }) { name }: NamedUpstream,
    @Body({ schema: SetUpstream }) body: SetUpstream,
  ): Promise<Upstream> {
    return this.rpc.call(registryRpc.setUpstream, { ...body, name });
  }

  @Delete(':name')
  @Operation(actions.upstreamRemove, {
    errors: ['CONFLICT'],
    description: 'What was pulled through from it is served no more, and goes from the store in time.',
  })
  async remove(@Param({ schema: NamedUpstream }) params: NamedUpstream): Promise<void> {
    await this.rpc.call(registryRpc.removeUpstream, params);
  }

  @Post(':name/check')
  @Operation(actions.upstreamCheck, { answer: CheckedUpstream })
  check(@Param({ schema: NamedUpstream }) params: NamedUpstream): Promise<CheckedUpstream> {
    return this.rpc.call(registryRpc.checkUpstream, params);
  }
}
