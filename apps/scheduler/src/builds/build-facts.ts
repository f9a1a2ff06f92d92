import type { z } from 'zod';
import { registryOf, type actions, type BuildOptions, type ResourceRef } from '@berth/contracts';
import { distinct, tagOf } from '../deployments/facts.js';
import type { ProjectEntity } from '../projects/project.entity.js';
import type { BuildPlan } from './build-plan.js';

export type BuildContext = z.input<typeof actions.imageBuild.context>;

/** An image that a build starts or copies from, as it was found. */
export interface FoundBase {
  reference: string;
  repository: string;
  digest: string;
}

export interface BuildLimits {
  cpuMillis: number;
  memoryBytes: number;
}

export interface KnownBuild {
  project: ProjectEntity;
  options: BuildOptions;
  limits: BuildLimits;
  network: boolean;
}

/** `<team>/<project>`, or `<team>/<project>/<name>`. */
export function repositoryOf({ name, team }: ProjectEntity, image: string | undefined): string {
  return [team, name, ...(image === undefined ? [] : [image])].join('/');
}

export function imageResource(project: ProjectEntity, repository: string): ResourceRef {
  return { type: 'Image', id: repository, team: project.team };
}

/** What policy judges before a build begins; without a plan, for whoever may not even know of the project. */
export function buildFacts(
  { project, options, limits, network }: KnownBuild,
  found: { plan: BuildPlan; bases: readonly FoundBase[]; contextBytes: number } | null,
): BuildContext {
  const repository = repositoryOf(project, options.name);
  const bases = found?.bases ?? [];
  return {
    ...{ project: project.name, registry: registryOf(repository), repository, tag: options.tag },
    dockerfile: options.dockerfile,
    ...(options.target === undefined ? {} : { target: options.target }),
    arguments: distinct(options.arg.map((argument) => argument.split('=', 1)[0] ?? '')),
    bases: distinct(bases.map((base) => base.repository)),
    baseRegistries: distinct(bases.map((base) => registryOf(base.repository))),
    baseTags: distinct(bases.flatMap(({ reference }) => tagOf(reference) ?? [])),
    baseDigests: distinct(bases.map(({ digest }) => digest)),
    commands: found?.plan.commands ?? 0,
    ...{ network, contextBytes: found?.contextBytes ?? 0, ...limits },
  };
}
