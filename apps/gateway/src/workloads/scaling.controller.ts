import { Body, Controller, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, ChangedEnvironment, ScaleService, schedulerRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';
import { AtService } from '../http/places.js';
import { ROLLOUT_ERRORS } from './rollout-errors.js';

const Nothing = z.strictObject({}).nullish();

/** Changes to one service that runs. */
@ApiTags('Services')
@Controller('v1/projects/:project/environments/:environment/services/:service')
export class ScalingController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Put('scale')
  @Operation(actions.serviceScale, {
    answer: ChangedEnvironment,
    status: 202,
    errors: ROLLOUT_ERRORS,
    description: 'Becomes a setting of the environment: later deployments keep it. Follow `deployment`.',
  })
  scale(
    @Param({ schema: AtService }) place: AtService,
    @Body({ schema: ScaleService }) body: z.output<typeof ScaleService>,
  ): Promise<ChangedEnvironment> {
    return this.rpc.call(schedulerRpc.scaleService, { ...place, ...body });
  }

  @Post('stop')
  @Operation(actions.serviceStop, {
    answer: ChangedEnvironment,
    status: 202,
    errors: ROLLOUT_ERRORS,
    description:
      'No instance runs afterwards, and its volumes stay. Becomes a setting of the environment: later deployments keep it, until the ' +
      'service is scaled. Follow `deployment`.',
  })
  stop(
    @Param({ schema: AtService }) place: AtService,
    @Body({ schema: Nothing }) _body: z.output<typeof Nothing>,
  ): Promise<ChangedEnvironment> {
    return this.rpc.call(schedulerRpc.stopService, place);
  }

  @Post('restart')
  @Operation(actions.serviceRestart, {
    answer: ChangedEnvironment,
    status: 202,
    errors: ROLLOUT_ERRORS,
    description:
      'New instances come up before the old ones are let go, as in any update. Follow `deployment`.',
  })
  restart(
    @Param({ schema: AtService }) place: AtService,
    @Body({ schema: Nothing }) _body: z.output<typeof Nothing>,
  ): Promise<ChangedEnvironment> {
    return this.rpc.call(schedulerRpc.restartService, place);
  }
}
