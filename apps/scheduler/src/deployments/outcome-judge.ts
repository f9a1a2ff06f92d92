import type { ActionPipeline, Grant } from '@berth/actions';
import { actions, type Decision, type PolicyAnswer } from '@berth/contracts';
import type { Inspection } from '../engine/container-engine.js';
import { serviceResource } from '../environments/environment.entity.js';
import type { DeploymentEntity } from './deployment.entity.js';

export interface OutcomeDenial {
  policies: PolicyAnswer[];
  /** For a person: which service, and what each policy says. */
  told: string;
}

/** The deployment that brought them. */
export type Judged = Pick<DeploymentEntity, 'permission' | 'team' | 'project' | 'environment'>;

interface Word {
  /** Null for all of the deployment together. */
  service: string | null;
  verdict: Decision | null;
}

/**
 * The `after` hooks of what came up: of the whole deployment, and of each kind of container. Null where policy has nothing
 * against it. All decisions are noted in the deployment's permission, by which its record names them.
 */
export async function judgeOutcome(
  pipeline: ActionPipeline,
  deployment: Judged,
  { all, instances }: Inspection,
): Promise<OutcomeDenial | null> {
  const { permission } = deployment;
  const whole = async (): Promise<Word> => ({
    service: null,
    verdict: await pipeline.judge(actions.deploymentCreate, permission, all),
  });
  const place = { team: deployment.team, project: deployment.project, name: deployment.environment };
  const each = instances.map(async ({ service, facts }): Promise<Word> => {
    const grant: Grant = {
      ...permission,
      ...{ action: actions.instanceRun.name, resource: serviceResource(place, service) },
    };
    return { service, verdict: await pipeline.judge(actions.instanceRun, grant, facts) };
  });
  const verdicts = await Promise.all([whole(), ...each]);
  const denials = verdicts.flatMap(({ service, verdict }) =>
    verdict && !verdict.allowed ? verdict.policies.map((policy) => ({ service, policy })) : [],
  );
  if (denials.length === 0) return null;
  const told = denials.map(({ service, policy: { id, message } }) =>
    service === null ? `${id}: ${message}` : `${id} (${service}): ${message}`,
  );
  const policies = new Map(denials.map(({ policy }) => [`${policy.id} ${policy.message}`, policy]));
  return { policies: [...policies.values()], told: [...new Set(told)].join('; ') };
}
