import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CreateDeployment,
  Deployment,
  page,
  PageRequest,
  Release,
  schedulerRpc,
  Service,
  type ErrorCode,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InEnvironment } from '../http/places.js';

const DEPLOY_ERRORS: readonly ErrorCode[] = [
  'COMPOSE_INVALID',
  'COMPOSE_UNSUPPORTED',
  'DIGEST_INVALID',
  'REFERENCE_INVALID',
  'IMAGE_NOT_FOUND',
  'QUOTA_EXCEEDED',
  'DEPLOYMENT_IN_PROGRESS',
  'PORT_IN_USE',
  'SECRET_NOT_FOUND',
  'IMAGE_PLATFORM_MISMATCH',
  'UPSTREAM_UNKNOWN',
  'UPSTREAM_RATE_LIMITED',
  'UPSTREAM_UNAVAILABLE',
  'QUOTA_UNAVAILABLE',
  'ENGINE_UNAVAILABLE',
];

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
    errors: DEPLOY_ERRORS,
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
