import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, type Page, type Project } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { ProjectsService } from './projects.js';

@Controller()
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Handles(schedulerRpc.createProject)
  @Performs(actions.projectCreate)
  create(request: z.infer<typeof schedulerRpc.createProject.request>): Promise<Project> {
    return this.projects.create(request);
  }

  @Handles(schedulerRpc.listProjects)
  @Performs(actions.projectList)
  list(request: z.infer<typeof schedulerRpc.listProjects.request>): Promise<Page<Project>> {
    return this.projects.list(request);
  }

  @Handles(schedulerRpc.getProject)
  @Performs(actions.projectRead)
  get({ project }: z.infer<typeof schedulerRpc.getProject.request>): Promise<Project> {
    return this.projects.get(project);
  }

  @Handles(schedulerRpc.removeProject)
  @Performs(actions.projectRemove)
  remove({ project }: z.infer<typeof schedulerRpc.removeProject.request>): Promise<Record<string, never>> {
    return this.projects.remove(project);
  }
}
