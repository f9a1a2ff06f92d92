import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  ChangedResource,
  CreateResource,
  Deployment,
  page,
  PageRequest,
  Resource,
  resourceRpc,
  UpgradeResource,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InEnvironment } from '../http/places.js';
import { IMAGE_ERRORS, ROLLOUT_ERRORS } from '../workloads/rollout-errors.js';
import { AtResource } from './places.js';

const RemoveOptions = z.strictObject({
  data: z.stringbool().default(false).describe('With all that it holds'),
});
type RemoveOptions = z.infer<typeof RemoveOptions>;

const locate = ({ project, environment, name }: Resource): string =>
  `/v1/projects/${project}/environments/${environment}/resources/${name}`;

/** Backing services of an environment. Credentials come out nowhere but in the services that ask for them. */
@ApiTags('Resources')
@Controller('v1/projects/:project/environments/:environment/resources')
export class ResourcesController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post()
  @Operation(actions.resourceAdd, {
    answer: ChangedResource,
    status: 202,
    location: locate,
    errors: [...ROLLOUT_ERRORS, ...IMAGE_ERRORS, 'ALREADY_EXISTS', 'CATALOG_ENTRY_INVALID'],
    description:
      'It is there for all of the environment, by its name, once `deployment` has succeeded. A service is given its ' +
      'variables when it asks for it: `x-berth: { uses: [orders-db] }`.',
  })
  add(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Body({ schema: CreateResource }) body: z.infer<typeof CreateResource>,
  ): Promise<ChangedResource> {
    return this.rpc.call(resourceRpc.add, { ...body, ...place });
  }

  @Get()
  @Operation(actions.resourceList, { answer: page(Resource), errors: ['CURSOR_INVALID'] })
  list(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<Resource>> {
    return this.rpc.call(resourceRpc.list, { ...query, ...place });
  }

  @Get(':name')
  @Operation(actions.resourceRead, { answer: Resource })
  get(@Param({ schema: AtResource }) place: AtResource): Promise<Resource> {
    return this.rpc.call(resourceRpc.get, place);
  }

  @Delete(':name')
  @Operation(actions.resourceRemove, {
    answer: Deployment,
    status: 202,
    errors: [...ROLLOUT_ERRORS, 'RESOURCE_IN_USE'],
    description: 'What it holds stays, for a resource of this name to come, unless `data` is true.',
  })
  remove(
    @Param({ schema: AtResource }) place: AtResource,
    @Query({ schema: RemoveOptions }) { data }: RemoveOptions,
  ): Promise<Deployment> {
    return this.rpc.call(resourceRpc.remove, { ...place, data });
  }

  @Post(':name/rotations')
  @Operation(actions.resourceRotate, {
    answer: ChangedResource,
    status: 202,
    errors: ROLLOUT_ERRORS,
    description: 'The old credentials end once the last service that came with them is gone.',
  })
  rotate(@Param({ schema: AtResource }) place: AtResource): Promise<ChangedResource> {
    return this.rpc.call(resourceRpc.rotate, place);
  }

  @Put(':name/version')
  @Operation(actions.resourceUpgrade, {
    answer: ChangedResource,
    status: 202,
    errors: [...ROLLOUT_ERRORS, ...IMAGE_ERRORS],
    description: 'As far as the rule of its entry allows. The one instance stops before the new one starts.',
  })
  upgrade(
    @Param({ schema: AtResource }) place: AtResource,
    @Body({ schema: UpgradeResource }) body: z.infer<typeof UpgradeResource>,
  ): Promise<ChangedResource> {
    return this.rpc.call(resourceRpc.upgrade, { ...body, ...place });
  }
}
