import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, CreateRestore, page, PageRequest, ResourceOperation, resourceRpc } from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';
import { AtResource, ByOperation } from './places.js';

const ListOptions = PageRequest.extend({ kind: z.enum(['backup', 'restore']).optional() });
type ListOptions = z.infer<typeof ListOptions>;

const locate = ({ project, environment, resource, id }: ResourceOperation): string =>
  `/v1/projects/${project}/environments/${environment}/resources/${resource}/operations/${id}`;

/** Backups of resources, and what became of them. */
@ApiTags('Resources')
@Controller('v1/projects/:project/environments/:environment/resources/:name')
export class BackupsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post('backups')
  @Operation(actions.resourceBackup, {
    answer: ResourceOperation,
    status: 202,
    location: locate,
    errors: ['CONFLICT'],
    description:
      'It has succeeded when it was restored into an empty resource beside, and that holds the same. Follow it at its ' +
      'Location.',
  })
  backUp(@Param({ schema: AtResource }) place: AtResource): Promise<ResourceOperation> {
    return this.rpc.call(resourceRpc.backUp, place);
  }

  @Post('restores')
  @Operation(actions.resourceRestore, {
    answer: ResourceOperation,
    status: 202,
    location: locate,
    errors: ['CONFLICT'],
    description: 'In place of what the resource holds: what came after the backup is lost.',
  })
  restore(
    @Param({ schema: AtResource }) place: AtResource,
    @Body({ schema: CreateRestore }) body: z.infer<typeof CreateRestore>,
  ): Promise<ResourceOperation> {
    return this.rpc.call(resourceRpc.restore, { ...body, ...place });
  }

  @Get('operations')
  @Operation(actions.resourceOperations, {
    answer: page(ResourceOperation),
    errors: ['CURSOR_INVALID'],
    summary: 'List the backups and restores of a resource',
  })
  list(
    @Param({ schema: AtResource }) place: AtResource,
    @Query({ schema: ListOptions }) query: ListOptions,
  ): Promise<Page<ResourceOperation>> {
    return this.rpc.call(resourceRpc.listOperations, { ...query, ...place });
  }

  @Get('operations/:id')
  @Operation(actions.resourceOperations, {
    answer: ResourceOperation,
    summary: 'See a backup or a restore',
  })
  get(@Param({ schema: ByOperation }) place: ByOperation): Promise<ResourceOperation> {
    return this.rpc.call(resourceRpc.getOperation, place);
  }
}
