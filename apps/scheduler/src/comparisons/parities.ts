import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import { actions, type Parity, type ParityDifference, type schedulerRpc } from '@berth/contracts';
import type { RunSpec } from '../compose/index.js';
import type { Settings } from '../environments/configuration.entity.js';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { RunSpecs } from '../environments/run-specs.js';
import { DriftDetector } from '../reconciliation/drift-detector.js';
import { ReleasesService } from '../releases/releases.js';
import { differencesOf, under } from './differences.js';

type Compare = z.infer<typeof schedulerRpc.parity.request>;

/** How environments differ: by what was declared, by their releases, and by what happened behind Berth. */
@Injectable()
export class Parities {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly specs: RunSpecs,
    private readonly releases: ReleasesService,
    private readonly pipeline: ActionPipeline,
    private readonly drift: DriftDetector,
  ) {}

  /** How two environments differ, and why: another release, or what the environments say. */
  async parity({ project, environment: from, with: to }: Compare): Promise<Parity> {
    const [left, right] = await Promise.all([
      this.environments.find(project, from),
      this.environments.find(project, to),
    ]);
    const resource = environmentResource(left);
    const intent = { action: actions.environmentCompare, resource, context: { with: to } };
    return this.pipeline.read(intent, async () => {
      const specs = await Promise.all([this.specs.of(left.deployment), this.specs.of(right.deployment)]);
      const sameRelease = left.release === right.release;
      const all = differencesOf(specs[0], specs[1]);
      // The same release under the other's settings: what differs then, the settings say.
      const declared = sameRelease ? all : await this.declared(left, right, specs[0]);
      const keys = new Set(declared.map(keyOf));
      const differences: ParityDifference[] = all.map((difference) => ({
        ...difference,
        ...{ kind: keys.has(keyOf(difference)) ? 'declared' : 'release', environment: null },
      }));
      const drift = await this.driftOf([left, right]);
      return { from, to, sameRelease, differences: [...differences, ...drift] };
    });
  }

  /** As it is in the engine at this moment. */
  private async driftOf(environments: readonly EnvironmentEntity[]): Promise<ParityDifference[]> {
    const drift = await this.drift.ofAll(environments);
    return environments.flatMap(({ id, name }) =>
      (drift.get(id) ?? []).map(({ service, path, wanted, found }) => ({
        ...{ service, path, from: wanted, to: found },
        ...{ kind: 'drift' as const, environment: name },
      })),
    );
  }

  private async declared(
    { project, release }: EnvironmentEntity,
    settings: Settings,
    present: RunSpec | null,
  ): Promise<{ service: string; path: string }[]> {
    if (release === null) return [];
    const { spec } = await this.releases.get(project, release);
    return differencesOf(present, under(spec, settings));
  }
}

function keyOf({ service, path }: { service: string; path: string }): string {
  return `${service}\n${path}`;
}
