import { Body, Controller, Delete, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CollectedGarbage,
  CollectGarbage,
  ImageTag,
  ListImageTags,
  ListRepositories,
  page,
  registryRpc,
  RemoveImage,
  Repository,
  type Page,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { Operation } from '../http/operation.js';

/** Names of repositories have slashes, and so stand in the query. */
@ApiTags('Images')
@Controller('v1/images')
export class ImagesController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.repositoryList, {
    answer: page(Repository),
    errors: ['CURSOR_INVALID'],
    description: 'Members see those of their teams, admins all, and what was pulled through.',
  })
  list(@Query({ schema: ListRepositories }) query: ListRepositories): Promise<Page<Repository>> {
    return this.rpc.call(registryRpc.repositories, query);
  }

  @Get('tags')
  @Operation(actions.imageList, { answer: page(ImageTag), errors: ['CURSOR_INVALID'] })
  tags(@Query({ schema: ListImageTags }) query: ListImageTags): Promise<Page<ImageTag>> {
    return this.rpc.call(registryRpc.tags, query);
  }

  @Delete()
  @Operation(actions.imageDelete, {
    errors: ['CONFLICT'],
    description:
      'An image that an index lists goes after the index. Its bytes go when nothing names them any more.',
  })
  async remove(@Query({ schema: RemoveImage }) query: RemoveImage): Promise<void> {
    await this.rpc.call(registryRpc.remove, query);
  }

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
