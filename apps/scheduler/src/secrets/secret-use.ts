import type { EntityManager } from 'typeorm';
import { BerthError } from '@berth/contracts';
import type { ComposeSpec, RunSpec } from '../compose/index.js';

/** Services that are given a secret, in what runs in the environment or is being rolled out there. */
export async function servicesGiven(
  transaction: EntityManager,
  environmentId: string,
  secret: string,
): Promise<string[]> {
  const found: { service: string }[] = await transaction.query(
    `SELECT DISTINCT service.key AS service
     FROM environments AS environment
     JOIN deployments AS deployment ON deployment.environment_id = environment.id
       AND (deployment.id = environment.deployment OR deployment.status IN ('pending', 'running'))
     CROSS JOIN LATERAL jsonb_each(deployment.spec -> 'services') AS service
     WHERE environment.id = $1
       AND service.value -> 'secrets' @> jsonb_build_array(jsonb_build_object('secret', $2::text))
     ORDER BY service`,
    [environmentId, secret],
  );
  return found.map(({ service }) => service);
}

/** The versions of the secrets that the services of `spec` ask for. Throws SECRET_NOT_FOUND where there is none. */
export function versionsFor(
  spec: Pick<ComposeSpec, 'services'>,
  latest: Readonly<Record<string, number>>,
  place: { project: string; name: string },
): Record<string, number> {
  const versions: Record<string, number> = {};
  for (const [service, { secrets }] of Object.entries(spec.services)) {
    for (const { secret } of secrets) {
      if (!Object.hasOwn(latest, secret)) throw missing(service, secret, place);
      versions[secret] = latest[secret];
    }
  }
  return versions;
}

/** With the environment locked: what was there when a deployment began may have been removed since. */
export async function refuseIfRemoved(
  transaction: EntityManager,
  environment: { id: string; project: string; name: string },
  { secrets, services }: Pick<RunSpec, 'secrets' | 'services'>,
): Promise<void> {
  const found: { name: string; version: number }[] = await transaction.query(
    `SELECT name, version FROM secrets
     WHERE environment_id = $1 AND key_id IS NOT NULL AND (name, version) IN (SELECT * FROM unnest($2::text[], $3::int[]))`,
    [environment.id, Object.keys(secrets), Object.values(secrets)],
  );
  versionsFor(
    { services },
    Object.fromEntries(found.map(({ name, version }) => [name, version])),
    environment,
  );
}

function missing(service: string, secret: string, { project, name }: { project: string; name: string }) {
  return new BerthError(
    'SECRET_NOT_FOUND',
    `Service "${service}" asks for the secret "${secret}", which "${project}.${name}" does not have. Give it a value: berth secret set ${secret} --project ${project} --env ${name}`,
    { service, secret },
  );
}
