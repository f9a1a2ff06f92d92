import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, MoreThan, type Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  toPage,
  policyRpc,
  teamResource,
  projectCreated,
  projectRemoved,
  type Page,
  type Project,
  type schedulerRpc,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent, RpcClient } from '@berth/messaging';
import { isUniqueViolation, isForeignKeyViolation } from '../database-errors.js';
import { ProjectEntity, projectResource, toProject } from './project.entity.js';

type Create = z.infer<typeof schedulerRpc.createProject.request>;
type List = z.infer<typeof schedulerRpc.listProjects.request>;

/** Projects: names, unique in the installation, that teams own. */
@Injectable()
export class ProjectsService {
  constructor(
    @InjectRepository(ProjectEntity) private readonly projects: Repository<ProjectEntity>,
    private readonly pipeline: ActionPipeline,
    @Inject(RpcClient) private readonly rpc: RpcClient,
  ) {}

  /** Throws ALREADY_EXISTS, or NOT_FOUND when there is no such team. */
  create({ name, team }: Create): Promise<Project> {
    return this.pipeline.change(
      { action: actions.projectCreate, resource: teamResource(team), context: { name } },
      async (tx) => {
        // An admin may act on any team, so also on one that does not exist: its owner knows.
        await this.rpc.call(policyRpc.getTeam, { team });
        const entity = tx.create(ProjectEntity, { name, team });
        try {
          await tx.insert(ProjectEntity, entity);
        } catch (error) {
          if (isUniqueViolation(error)) throw alreadyExists(name);
          throw error;
        }
        const project = toProject(await tx.findOneByOrFail(ProjectEntity, { name }));
        return {
          result: project,
          outcome: {},
          events: [draftEvent(projectCreated, { team, project: name }, project)],
        };
      },
    );
  }

  /** Those of one's own teams; an admin sees all. */
  list({ team, limit, cursor }: List): Promise<Page<Project>> {
    const { admin, teams } = requireActor();
    const visible = teams.map((membership) => membership.team).filter((own) => !team || own === team);
    return this.pipeline.read({ action: actions.projectList, resource: PLATFORM, context: {} }, async () => {
      const found = await this.projects.find({
        where: {
          ...(admin ? (team ? { team } : {}) : { team: In(visible) }),
          ...(cursor === undefined ? {} : { name: MoreThan(positionOf(cursor, 'name')) }),
        },
        order: { name: 'ASC' },
        take: limit + 1,
      });
      return toPage(found, limit, toProject, ({ name }) => ({ name }));
    });
  }

  async get(name: string): Promise<Project> {
    const project = await this.find(name);
    const resource = projectResource(project);
    return this.pipeline.read({ action: actions.projectRead, resource, context: {} }, () =>
      Promise.resolve(toProject(project)),
    );
  }

  /** Throws CONFLICT while it has environments. */
  async remove(name: string): Promise<Record<string, never>> {
    const project = await this.find(name);
    const resource = projectResource(project);
    return this.pipeline.change({ action: actions.projectRemove, resource, context: {} }, async (tx) => {
      try {
        await tx.delete(ProjectEntity, { name });
      } catch (error) {
        if (!isForeignKeyViolation(error)) throw error;
        throw new BerthError('CONFLICT', `Project "${name}" still has environments. Remove them first.`);
      }
      return { result: {}, outcome: {}, events: [draftEvent(projectRemoved, resource, { name })] };
    });
  }

  /** Throws NOT_FOUND in the words that also an invisible one is told in. */
  async find(name: string): Promise<ProjectEntity> {
    const project = await this.projects.findOneBy({ name });
    if (!project) throw notFound({ type: 'Project', id: name });
    return project;
  }
}

function alreadyExists(name: string): BerthError {
  return new BerthError(
    'ALREADY_EXISTS',
    `The name "${name}" is taken. Names of projects are unique; choose another.`,
  );
}
