import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, CreateDeployment, Diff, Name, Parity, Plan, schedulerRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InEnvironment } from '../http/places.js';
import { IMAGE_ERRORS } from './rollout-errors.js';

const DiffQuery = z.strictObject({
  with: z.string().min(1).max(100).describe('Another environment, or a release that ran here'),
});
const ParityQuery = z.strictObject({ with: Name.describe('Another environment of the project') });

/** What would change, and what differs. */
@ApiTags('Comparisons')
@Controller('v1/projects/:project/environments/:environment')
export class ComparisonsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post('plans')
  @Operation(actions.deploymentPlan, {
    answer: Plan,
    status: 200,
    errors: ['COMPOSE_INVALID', 'COMPOSE_UNSUPPORTED', ...IMAGE_ERRORS, 'ENGINE_UNAVAILABLE'],
    description: 'Nothing is kept of it: a plan is made anew each time.',
  })
  plan(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Body({ schema: CreateDeployment }) body: z.output<typeof CreateDeployment>,
  ): Promise<Plan> {
    return this.rpc.call(schedulerRpc.plan, { ...place, ...body });
  }

  @Get('diff')
  @Operation(actions.environmentCompare, {
    answer: Diff,
    errors: ['CONFLICT'],
    summary: 'See how what runs differs from another environment or release',
  })
  diff(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: DiffQuery }) query: z.output<typeof DiffQuery>,
  ): Promise<Diff> {
    return this.rpc.call(schedulerRpc.diff, { ...place, ...query });
  }

  @Get('parity')
  @Operation(actions.environmentCompare, {
    answer: Parity,
    summary: 'See every difference between two environments, and why it is there',
  })
  parity(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: ParityQuery }) query: z.output<typeof ParityQuery>,
  ): Promise<Parity> {
    return this.rpc.call(schedulerRpc.parity, { ...place, ...query });
  }
}
