import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CreateDeployment,
  CreatePromotion,
  CreateRollback,
  Deployment,
  page,
  PageRequest,
  Release,
  schedulerRpc,
  Service,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InEnvironment } from '../http/places.js';
import { IMAGE_ERRORS, ROLLOUT_ERRORS } from './rollout-errors.js';

/** What was and is rolled out in an environment. */
@ApiTags('Deployments')
@Controller('v1/projects/:project/environments/:environment')
export class RolloutsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post('deployments')
  @Operation(actions.deploymentCreate, {
    answer: Deployment,
    status: 202,
    location: ({ id }) => `/v1/deployments/${id}`,
    errors: [...ROLLOUT_ERRORS, ...IMAGE_ERRORS],
    description:
      'Accepted once the images are resolved, policy allows it and quota covers it; it is then rolled out. Follow it at ' +
      '`/v1/deployments/{id}/events`. A denial or refusal leaves nothing behind.',
  })
  deploy(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Body({ schema: CreateDeployment }) body: z.output<typeof CreateDeployment>,
  ): Promise<Deployment> {
    return this.rpc.call(schedulerRpc.createDeployment, { ...place, ...body });
  }

  @Post('promotions')
  @Operation(actions.deploymentPromote, {
    answer: Deployment,
    status: 202,
    location: ({ id }) => `/v1/deployments/${id}`,
    errors: ROLLOUT_ERRORS,
    description:
      'The very release that runs in `from` is rolled out here, by the same digest. Variables and settings are those of ' +
      'this environment.',
  })
  promote(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Body({ schema: CreatePromotion }) body: z.output<typeof CreatePromotion>,
  ): Promise<Deployment> {
    return this.rpc.call(schedulerRpc.promote, { ...place, ...body });
  }

  @Post('rollbacks')
  @Operation(actions.deploymentRollback, {
    answer: Deployment,
    status: 202,
    location: ({ id }) => `/v1/deployments/${id}`,
    errors: ROLLOUT_ERRORS,
    description: 'Variables and settings stay as they are now.',
  })
  rollBack(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Body({ schema: CreateRollback }) body: z.output<typeof CreateRollback>,
  ): Promise<Deployment> {
    return this.rpc.call(schedulerRpc.rollBack, { ...place, ...body });
  }

  @Get('deployments')
  @Operation(actions.deploymentList, {
    answer: page(Deployment),
    errors: ['CURSOR_INVALID'],
    description: 'Newest first.',
  })
  deployments(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<Deployment>> {
    return this.rpc.call(schedulerRpc.listDeployments, { ...query, ...place });
  }

  @Get('releases')
  @Operation(actions.releaseList, {
    answer: page(Release),
    errors: ['CURSOR_INVALID'],
    description: 'Newest first.',
  })
  releases(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<Release>> {
    return this.rpc.call(schedulerRpc.listReleases, { ...query, ...place });
  }

  @Get('services')
  @Operation(actions.serviceList, { answer: page(Service), errors: ['ENGINE_UNAVAILABLE'] })
  services(@Param({ schema: InEnvironment }) place: InEnvironment): Promise<Page<Service>> {
    return this.rpc.call(schedulerRpc.listServices, place);
  }
}
