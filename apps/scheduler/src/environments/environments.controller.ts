import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, type Configuration, type Environment, type Page } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { EnvironmentRemoval } from './environment-removal.js';
import { EnvironmentsService } from './environments.js';

@Controller()
export class EnvironmentsController {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly removal: EnvironmentRemoval,
  ) {}

  @Handles(schedulerRpc.createEnvironment)
  @Performs(actions.environmentCreate)
  create(request: z.infer<typeof schedulerRpc.createEnvironment.request>): Promise<Environment> {
    return this.environments.create(request);
  }

  @Handles(schedulerRpc.listEnvironments)
  @Performs(actions.environmentList)
  list(request: z.infer<typeof schedulerRpc.listEnvironments.request>): Promise<Page<Environment>> {
    return this.environments.list(request);
  }

  @Handles(schedulerRpc.getEnvironment)
  @Performs(actions.environmentRead)
  get({ project, environment }: z.infer<typeof schedulerRpc.getEnvironment.request>): Promise<Environment> {
    return this.environments.get(project, environment);
  }

  @Handles(schedulerRpc.setOnDrift)
  @Performs(actions.environmentReconcile)
  setOnDrift(request: z.infer<typeof schedulerRpc.setOnDrift.request>): Promise<Environment> {
    return this.environments.setOnDrift(request);
  }

  @Handles(schedulerRpc.listConfigurations)
  @Performs(actions.configurationList)
  configurations(
    request: z.infer<typeof schedulerRpc.listConfigurations.request>,
  ): Promise<Page<Configuration>> {
    return this.environments.listConfigurations(request);
  }

  @Handles(schedulerRpc.removeEnvironment)
  @Performs(actions.environmentRemove)
  async remove({
    project,
    environment,
    volumes,
  }: z.infer<typeof schedulerRpc.removeEnvironment.request>): Promise<Record<string, never>> {
    return this.removal.remove(await this.environments.find(project, environment), volumes);
  }
}
