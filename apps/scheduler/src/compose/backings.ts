import { BerthError } from '@berth/contracts';
import type { PinnedImage, RunResource, RunService, RunSpec } from './release.js';
import type { SecretMountSpec } from './spec.js';

/** A resource of an environment, as it runs and as it is given to the services that ask for it. */
export interface Backing {
  service: RunService;
  image: PinnedImage & { user: string };
  volumes: RunSpec['volumes'];
  /** Versions of the secrets that it is given itself. */
  secrets: Record<string, number>;
  resource: RunResource;
  /** What a service gets for `uses`. */
  offer: {
    environment: Record<string, string>;
    secrets: SecretMountSpec[];
    versions: Record<string, number>;
  };
}

/**
 * Puts the resources of an environment beside the services of a release, and gives them to those that ask.
 * Throws RESOURCE_NOT_FOUND for one that is not there, and CONFLICT where two are to have one name.
 */
export function attach(spec: RunSpec, backings: Readonly<Record<string, Backing>>): void {
  for (const [name, service] of Object.entries(spec.services)) {
    for (const used of service.uses) {
      if (!Object.hasOwn(backings, used)) throw missing(name, used);
      give(spec, service, name, backings[used]);
      service.dependsOn[used] = 'healthy';
    }
  }
  for (const [name, { service, volumes, secrets, resource }] of Object.entries(backings)) {
    if (Object.hasOwn(spec.services, name))
      throw new BerthError(
        'CONFLICT',
        `"${name}" is both a service of the Compose file and a resource of the environment. Rename the service.`,
      );
    spec.services[name] = service;
    spec.resources[name] = resource;
    Object.assign(spec.volumes, volumes);
    Object.assign(spec.secrets, secrets);
  }
}

function give(spec: RunSpec, service: RunService, name: string, { offer, resource }: Backing): void {
  const own = new Set([
    ...Object.keys(service.environment),
    ...service.secrets.flatMap(({ variable }) => variable ?? []),
  ]);
  const given = [
    ...Object.keys(offer.environment),
    ...offer.secrets.flatMap(({ variable }) => variable ?? []),
  ];
  const twice = given.find((variable) => own.has(variable));
  if (twice !== undefined)
    throw new BerthError(
      'CONFLICT',
      `Service "${name}" sets the variable ${twice} itself, which the resource "${resource.name}" gives it too. Take it out of the Compose file.`,
      { service: name, variable: twice },
    );
  Object.assign(service.environment, offer.environment);
  service.secrets = [...service.secrets, ...offer.secrets];
  Object.assign(spec.secrets, offer.versions);
}

function missing(service: string, resource: string): BerthError {
  return new BerthError(
    'RESOURCE_NOT_FOUND',
    `Service "${service}" uses the resource "${resource}", which the environment does not have. Add it first: berth resource add <entry> --name ${resource}`,
    { service, resource },
  );
}
