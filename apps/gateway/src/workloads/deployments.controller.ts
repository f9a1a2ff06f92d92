import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, Deployment, schedulerRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ById } from '../http/places.js';
import { DeploymentFeed } from './deployment-feed.js';

const Nothing = z.strictObject({}).nullish();

@ApiTags('Deployments')
@Controller('v1/deployments/:id')
export class DeploymentsController {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly feed: DeploymentFeed,
  ) {}

  @Get()
  @Operation(actions.deploymentRead, { answer: Deployment, summary: 'See a deployment' })
  get(@Param({ schema: ById }) place: ById): Promise<Deployment> {
    return this.rpc.call(schedulerRpc.getDeployment, place);
  }

  @Post('cancel')
  @Operation(actions.deploymentCancel, { answer: Deployment, status: 202, errors: ['CONFLICT'] })
  cancel(
    @Param({ schema: ById }) place: ById,
    @Body({ schema: Nothing }) _body: z.output<typeof Nothing>,
  ): Promise<Deployment> {
    return this.rpc.call(schedulerRpc.cancelDeployment, place);
  }

  @Get('events')
  @Operation(actions.deploymentRead, {
    answer: z.string(),
    summary: 'Follow a deployment',
    produces: 'text/event-stream',
    description:
      'Server-sent events. Each `deployment` event holds the whole deployment: the first one as it is now, then one ' +
      'for each change. The stream ends after the final status; when it ends before, connect again. An `error` event ' +
      'holds a problem, and is the last one.',
  })
  async events(
    @Param({ schema: ById }) { id }: ById,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.feed.follow(id, request, reply);
  }
}
