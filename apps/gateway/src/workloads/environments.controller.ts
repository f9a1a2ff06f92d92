import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  ChangedEnvironment,
  Configuration,
  CreateEnvironment,
  Deployment,
  Environment,
  page,
  PageRequest,
  schedulerRpc,
  SetOnDrift,
  UpdateEnvironment,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InEnvironment, InProject } from '../http/places.js';
import { ROLLOUT_ERRORS } from './rollout-errors.js';

const RemoveQuery = z.strictObject({
  volumes: z
    .stringbool()
    .or(z.boolean())
    .default(false)
    .describe('Its volumes too, with all that is in them'),
});

@ApiTags('Environments')
@Controller('v1/projects/:project/environments')
export class EnvironmentsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post()
  @Operation(actions.environmentCreate, {
    answer: Environment,
    status: 201,
    location: ({ project, name }) => `/v1/projects/${project}/environments/${name}`,
    errors: ['ALREADY_EXISTS'],
  })
  create(
    @Param({ schema: InProject }) place: InProject,
    @Body({ schema: CreateEnvironment }) body: z.output<typeof CreateEnvironment>,
  ): Promise<Environment> {
    return this.rpc.call(schedulerRpc.createEnvironment, { ...place, ...body });
  }

  @Get()
  @Operation(actions.environmentList, { answer: page(Environment), errors: ['CURSOR_INVALID'] })
  list(
    @Param({ schema: InProject }) place: InProject,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<Environment>> {
    return this.rpc.call(schedulerRpc.listEnvironments, { ...query, ...place });
  }

  @Get(':environment')
  @Operation(actions.environmentRead, { answer: Environment })
  get(@Param({ schema: InEnvironment }) place: InEnvironment): Promise<Environment> {
    return this.rpc.call(schedulerRpc.getEnvironment, place);
  }

  @Put(':environment')
  @Operation(actions.environmentUpdate, {
    answer: ChangedEnvironment,
    errors: ROLLOUT_ERRORS,
    description:
      'Rolled out at once where something runs: follow `deployment`. In force once that has succeeded; one that fails ' +
      'leaves variables, settings and instances as they were.',
  })
  update(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Body({ schema: UpdateEnvironment }) body: z.output<typeof UpdateEnvironment>,
  ): Promise<ChangedEnvironment> {
    return this.rpc.call(schedulerRpc.updateEnvironment, { ...place, ...body });
  }

  @Put(':environment/on-drift')
  @Operation(actions.environmentReconcile, {
    answer: Environment,
    description:
      'What runs is held against what was rolled out, again and again. What was changed behind Berth is in `drift`, and in ' +
      'the event `environment.drifted.v1`; with `mend`, what was rolled out is brought back by a deployment.',
  })
  setOnDrift(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Body({ schema: SetOnDrift }) body: z.output<typeof SetOnDrift>,
  ): Promise<Environment> {
    return this.rpc.call(schedulerRpc.setOnDrift, { ...place, ...body });
  }

  @Post(':environment/mendings')
  @Operation(actions.environmentMend, {
    answer: Deployment,
    status: 202,
    location: ({ id }) => `/v1/deployments/${id}`,
    errors: ROLLOUT_ERRORS,
    description: 'By a deployment: follow it at its Location.',
  })
  mend(@Param({ schema: InEnvironment }) place: InEnvironment): Promise<Deployment> {
    return this.rpc.call(schedulerRpc.mend, place);
  }

  @Get(':environment/configurations')
  @Operation(actions.configurationList, {
    answer: page(Configuration),
    errors: ['CURSOR_INVALID'],
    description: 'Newest first. Those of deployments that failed never were in force.',
  })
  configurations(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<Configuration>> {
    return this.rpc.call(schedulerRpc.listConfigurations, { ...query, ...place });
  }

  @Delete(':environment')
  @Operation(actions.environmentRemove, { errors: ['DEPLOYMENT_IN_PROGRESS', 'ENGINE_UNAVAILABLE'] })
  async remove(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: RemoveQuery }) query: z.output<typeof RemoveQuery>,
  ): Promise<void> {
    await this.rpc.call(schedulerRpc.removeEnvironment, { ...place, ...query });
  }
}
