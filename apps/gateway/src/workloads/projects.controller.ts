import { Body, Controller, Delete, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, CreateProject, Name, page, PageRequest, Project, schedulerRpc } from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InProject } from '../http/places.js';

const ProjectQuery = PageRequest.extend({ team: Name.optional().describe('Of this team only') });

@ApiTags('Projects')
@Controller('v1/projects')
export class ProjectsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post()
  @Operation(actions.projectCreate, {
    answer: Project,
    status: 201,
    location: ({ name }) => `/v1/projects/${name}`,
    errors: ['ALREADY_EXISTS'],
  })
  create(@Body({ schema: CreateProject }) body: z.output<typeof CreateProject>): Promise<Project> {
    return this.rpc.call(schedulerRpc.createProject, body);
  }

  @Get()
  @Operation(actions.projectList, { answer: page(Project), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: ProjectQuery }) query: z.output<typeof ProjectQuery>): Promise<Page<Project>> {
    return this.rpc.call(schedulerRpc.listProjects, query);
  }

  @Get(':project')
  @Operation(actions.projectRead, { answer: Project })
  get(@Param({ schema: InProject }) place: InProject): Promise<Project> {
    return this.rpc.call(schedulerRpc.getProject, place);
  }

  @Delete(':project')
  @Operation(actions.projectRemove, { errors: ['CONFLICT'] })
  async remove(@Param({ schema: InProject }) place: InProject): Promise<void> {
    await this.rpc.call(schedulerRpc.removeProject, place);
  }
}
