import type { Resource } from '@berth/contracts';
import { interpolate, type Backing, type ReleasedImage, type RunSpec } from '../compose/index.js';
import { isSecret, parseEntry, type EntryFile } from './catalog-entry.js';
import { entryService, ownSecret } from './entry-service.js';

/** A resource as the settings of an environment have it. The catalog may change: this does not. */
export interface DeclaredResource {
  /** Name of its entry in the catalog, and the file as it was. */
  entry: string;
  file: string;
  version: string;
  image: ReleasedImage;
  /** Version of its credentials, which is that of the secrets with them. */
  credential: number;
  /** Versions of the entry's own secrets, by their names there. */
  secrets: Record<string, number>;
  addedBy: string;
  /** RFC 3339. */
  addedAt: string;
}

export type DeclaredResources = Record<string, DeclaredResource>;

export function userOf(credential: number): string {
  return `app${credential}`;
}

/** Values of all secrets of one version of a resource's credentials, by their names. */
export function credentialSecrets(
  name: string,
  entry: EntryFile,
  credential: number,
  password: string,
): Record<string, string> {
  const values = { ...placesOf(name, entry, credential), PASSWORD: password };
  const secret = Object.entries(entry.variables).filter(([, template]) => isSecret(template));
  return {
    [passwordSecret(name)]: password,
    ...Object.fromEntries(
      secret.map(([variable, template]) => [secretOf(name, variable), interpolate(template, values).text]),
    ),
  };
}

/** Where the password itself is kept, whether or not a variable is just that. */
export function passwordSecret(name: string): string {
  return secretOf(name, 'PASSWORD');
}

/** What a resource is to an environment that has it. */
export function toBacking(name: string, declared: DeclaredResource): Backing {
  const { file, version, image, credential } = declared;
  const entry = parseEntry(declared.entry, file);
  const { service, volumes } = entryService(name, entry, version);
  const { repository, digest, user } = image;
  const values = placesOf(name, entry, credential);
  const all = Object.entries(entry.variables);
  const plain = all.filter(([, template]) => !isSecret(template));
  const variables = Object.fromEntries(
    plain.map(([variable, template]) => [variable, interpolate(template, values).text]),
  );
  const secret = all.filter(([, template]) => isSecret(template)).map(([variable]) => variable);
  return {
    service: { ...service, pinned: { repository, digest }, restarts: 0 },
    image: { repository, digest, user },
    volumes,
    secrets: Object.fromEntries(
      Object.entries(declared.secrets).map(([own, number]) => [ownSecret(name, own), number]),
    ),
    resource: {
      ...{ name, entry: declared.entry, version, port: entry.port, credential, variables },
      secrets: Object.keys(declared.secrets),
      commands: entry.commands,
      restartToRestore: entry.restart_to_restore,
      volatileLines: entry.volatile_lines ?? null,
    },
    offer: {
      environment: Object.fromEntries(
        Object.entries(variables).map(([variable, value]) => [prefixed(name, variable), value]),
      ),
      secrets: secret.map((variable) => ({
        ...{ secret: secretOf(name, variable), file: null, variable: prefixed(name, variable) },
      })),
      versions: Object.fromEntries(secret.map((variable) => [secretOf(name, variable), credential])),
    },
  };
}

export function toResource(
  name: string,
  declared: DeclaredResource,
  { project, name: environment }: { project: string; name: string },
  running: RunSpec | null,
): Resource {
  const { resource, offer } = toBacking(name, declared);
  const services = Object.entries(running?.services ?? {});
  return {
    ...{ name, project, environment, entry: declared.entry, version: declared.version },
    image: `${declared.image.repository}@${declared.image.digest}`,
    ...{ port: resource.port, credential: declared.credential },
    variables: [
      ...Object.entries(offer.environment).map(([variable, value]) => ({ name: variable, value })),
      ...offer.secrets.map(({ variable }) => ({ name: variable ?? '', value: null })),
    ].sort((a, b) => a.name.localeCompare(b.name)),
    usedBy: services.filter(([, { uses }]) => uses.includes(name)).map(([user]) => user),
    ...{ addedBy: declared.addedBy, addedAt: declared.addedAt },
  };
}

function placesOf(name: string, { port }: EntryFile, credential: number): Record<string, string> {
  return { NAME: name, HOST: name, PORT: String(port), USERNAME: userOf(credential) };
}

function secretOf(name: string, variable: string): string {
  return ownSecret(name, `variable.${variable.toLowerCase()}`);
}

/** `ORDERS_DB_URL` of `orders-db`. */
function prefixed(name: string, variable: string): string {
  return `${name.replaceAll('-', '_').toUpperCase()}_${variable}`;
}
