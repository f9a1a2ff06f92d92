import {
  actions,
  type ActionDefinition,
  type AssessedQuestion,
  type Hook,
  type ResourceRef,
} from '@berth/contracts';
import type { ReleasedImage, RunSpec } from '../compose/index.js';
import { deploymentFacts, instanceFacts } from '../deployments/facts.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import { toRunSettings, type Settings } from '../environments/configuration.entity.js';
import { environmentResource, serviceResource } from '../environments/environment.entity.js';

/** What runs in an environment, and who brought it. */
export interface Running extends Settings {
  id: string;
  project: string;
  name: string;
  team: string;
  deployment: string;
  spec: RunSpec;
  release: string;
  deployedBy: string;
  deployedAt: Date;
  /** Null for a release that is older than releases are written down. */
  images: Record<string, ReleasedImage> | null;
}

/** A question, and what it is about. */
export interface Topic {
  service: string | null;
  question: AssessedQuestion;
}

/** All that a rollout of the same would be asked, at both ends, as it would be now. Throws ENGINE_UNAVAILABLE. */
export async function questionsOf(engine: ContainerEngine, running: Running): Promise<Topic[]> {
  const { name: environment, release, spec } = running;
  const ask = asker(running);
  const images = imagesOf(running);
  const place = { environment, release };
  const { all, instances } = await engine.inspect({
    target: { project: running.project, environment },
    ...{ deployment: running.deployment, release, spec },
    secret: () => Promise.reject(new Error('a review reads no secret')),
  });
  return [
    ask(null, actions.deploymentCreate, 'before', deploymentFacts(environment, release, spec, images)),
    ...Object.entries(spec.services).map(([name, service]) =>
      ask(name, actions.instanceRun, 'before', instanceFacts(place, name, service, images[name])),
    ),
    // Where nothing runs for the moment, there is nothing that could be otherwise than it should.
    ...(instances.length > 0 ? [ask(null, actions.deploymentCreate, 'after', all)] : []),
    ...instances.map(({ service, facts }) => ask(service, actions.instanceRun, 'after', facts)),
  ];
}

function asker(
  running: Running,
): (service: string | null, action: Pick<ActionDefinition, 'name'>, hook: Hook, context: object) => Topic {
  const resourceOf = (service: string | null): ResourceRef =>
    service === null ? environmentResource(running) : serviceResource(running, service);
  return (service, { name }, hook, context) => ({
    service,
    question: {
      ...{ action: name, hook, principal: running.deployedBy },
      ...{ resource: resourceOf(service), context: context as Record<string, unknown> },
    },
  });
}

/** By service: of the release, and of the resources of the environment. */
function imagesOf(running: Running): Record<string, Pick<ReleasedImage, 'repository' | 'user'>> {
  const backings = Object.entries(toRunSettings(running).backings).map(([name, { image }]) => [name, image]);
  const known = { ...running.images, ...(Object.fromEntries(backings) as Record<string, ReleasedImage>) };
  return Object.fromEntries(
    Object.entries(running.spec.services).map(([name, { pinned }]) => [
      name,
      Object.hasOwn(known, name) ? known[name] : { repository: pinned.repository, user: '' },
    ]),
  );
}
