import { stringify } from 'yaml';
import { readCompose, type ComposeSpec, type ServiceSpec } from '../compose/index.js';
import type { EntryFile } from './catalog-entry.js';

/**
 * Names that belong to a resource alone. No secret or volume of a Compose file can be called so: theirs hold no dot, or
 * begin with none.
 */
export const ownSecret = (resource: string, name: string): string => `${resource}.${name}`;
export const ownVolume = (resource: string, name: string): string => `.${resource}.${name}`;

/** The service of a resource of this name, and its volumes. Throws COMPOSE_INVALID or COMPOSE_UNSUPPORTED. */
export function entryService(
  name: string,
  { image, service, volumes, secrets, port }: EntryFile,
  version: string,
): { service: ServiceSpec; volumes: ComposeSpec['volumes'] } {
  const none = (names: string[]) => Object.fromEntries(names.map((each) => [each, null] as const));
  const file = stringify({
    services: { [name]: { ...service, image: `${image}:${version}` } },
    volumes: none(volumes),
    secrets: none(secrets),
  });
  const { spec } = readCompose(file, { NAME: name, PORT: String(port), VERSION: version });
  const read = spec.services[name];
  return {
    service: {
      ...read,
      volumes: read.volumes.map((mount) => ({ ...mount, volume: ownVolume(name, mount.volume) })),
      secrets: read.secrets.map((mount) => ({ ...mount, secret: ownSecret(name, mount.secret) })),
    },
    volumes: Object.fromEntries(
      Object.entries(spec.volumes).map(([volume, value]) => [ownVolume(name, volume), value]),
    ),
  };
}
