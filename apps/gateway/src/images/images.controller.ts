import { Body, Controller, Delete, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CollectedGarbage,
  CollectGarbage,
  ImageDetails,
  ImageTag,
  InspectImage,
  ListImageTags,
  ListRepositories,
  page,
  ReadRegistryUsage,
  registryRpc,
  RegistryUsage,
  RemoveImage,
  Repository,
  ScrubbedImages,
  ScrubImages,
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

  @Get('usage')
  @Operation(actions.registryRead, {
    answer: RegistryUsage,
    description: 'Of all instances together. What was pulled in the last seconds may not be counted yet.',
  })
  usage(@Query({ schema: ReadRegistryUsage }) query: ReadRegistryUsage): Promise<RegistryUsage> {
    return this.rpc.call(registryRpc.usage, query);
  }

  @Get('tags')
  @Operation(actions.imageList, { answer: page(ImageTag), errors: ['CURSOR_INVALID'] })
  tags(@Query({ schema: ListImageTags }) query: ListImageTags): Promise<Page<ImageTag>> {
    return this.rpc.call(registryRpc.tags, query);
  }

  @Get('inspect')
  @Operation(actions.imagePull, {
    answer: ImageDetails,
    errors: ['IMAGE_NOT_FOUND', 'IMAGE_INVALID', 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_RATE_LIMITED'],
    description: 'Of an upstream, too: what is not here yet is fetched, without its layers.',
  })
  inspect(@Query({ schema: InspectImage }) query: InspectImage): Promise<ImageDetails> {
    return this.rpc.call(registryRpc.inspect, query);
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

  @Post('scrub')
  @Operation(actions.imageScrub, {
    answer: ScrubbedImages,
    description:
      'Each stored blob is read and held against its digest. What is damaged is put away, so that a push or a pull brings it again; `image.damaged.v1` tells of it. The registry does so by itself once in thirty days.',
  })
  scrub(@Body({ schema: ScrubImages }) body: ScrubImages): Promise<ScrubbedImages> {
    return this.rpc.call(registryRpc.scrub, body);
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
