import type { Difference, PlannedService } from '@berth/contracts';
import { render, type ReleaseSpec, type RunService, type RunSpec } from '../compose/index.js';
import { toRunSettings, type Settings } from '../environments/configuration.entity.js';

/** What two specs say of a service, key by key, in the words of `RunSpec`. */
export function differencesOf(from: RunSpec | null, to: RunSpec | null): Difference[] {
  return namesOf(from, to).flatMap((service) => {
    const [before, after] = [from?.services[service], to?.services[service]];
    if (!before || !after)
      return [
        { service, path: '', from: before ? imageOf(before) : null, to: after ? imageOf(after) : null },
      ];
    const [left, right] = [flatten(comparable(before, from)), flatten(comparable(after, to))];
    const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
    return paths
      .map((path) => ({ service, path, from: left.get(path) ?? null, to: right.get(path) ?? null }))
      .filter((difference) => difference.from !== difference.to);
  });
}

/** What becomes of each service when `to` is rolled out where `from` runs. */
export function plannedServices(from: RunSpec | null, to: RunSpec): PlannedService[] {
  const changed = differencesOf(from, to);
  return namesOf(from, to).map((service) => {
    const [before, after] = [from?.services[service], to.services[service]];
    if (!after) return { service, change: 'remove', order: null, note: keptVolumes(before) };
    if (!before) return { service, change: 'create', order: null, note: null };
    const paths = changed.filter((difference) => difference.service === service).map(({ path }) => path);
    if (paths.length === 0) return { service, change: 'none', order: null, note: null };
    if (paths.every((path) => path === 'replicas'))
      return { service, change: 'scale', order: null, note: null };
    if (paths.every((path) => path === 'hosts'))
      return {
        service,
        change: 'update',
        order: null,
        note: 'Its host names only: no instance is replaced.',
      };
    return { service, change: 'update', order: after.update.order, note: gapNote(after) };
  });
}

function namesOf(from: RunSpec | null, to: RunSpec | null): string[] {
  return [...new Set([from, to].flatMap((spec) => Object.keys(spec?.services ?? {})))].sort();
}

function imageOf({ image, pinned }: RunService): string {
  return `${image}@${pinned.digest}`;
}

/** With secrets by name and version: their values are nobody's business, and not here. How often it was restarted says nothing. */
function comparable(
  { pinned, image, secrets, restarts: _restarts, ...service }: RunService,
  spec: RunSpec | null,
): object {
  const given = secrets.map(({ secret, file, variable }) => [
    file?.path ?? variable ?? secret,
    `${secret} (version ${spec?.secrets[secret] ?? 'none'})`,
  ]);
  return { ...service, image: `${image}@${pinned.digest}`, secrets: Object.fromEntries(given) as object };
}

/** Leaves of an object by path; lists as one value, as their order counts. */
function flatten(value: object, prefix = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, member] of Object.entries(value) as [string, unknown][]) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
      for (const [inner, leaf] of flatten(member, path)) leaves.set(inner, leaf);
    } else if (member !== null && member !== undefined) {
      leaves.set(path, typeof member === 'string' ? member : JSON.stringify(member));
    }
  }
  return leaves;
}

function gapNote({ update, volumes, ports }: RunService): string | null {
  if (update.order !== 'stop-first') return null;
  const held = [
    ...volumes.map(({ volume }) => `the volume "${volume}"`),
    ...ports.flatMap(({ published }) => (published === null ? [] : [`port ${published} of the host`])),
  ];
  const why =
    held.length > 0 ? `Only one instance can hold ${held.join(' and ')}: the` : 'As its file says, the';
  return `${why} old one stops before the new one starts, and requests fail in between.`;
}

function keptVolumes(service: RunService | undefined): string | null {
  const names = service?.volumes.map(({ volume }) => `"${volume}"`) ?? [];
  return names.length > 0 ? `What is in the volume ${names.join(', ')} stays.` : null;
}

/** A release as it would run under these settings. */
export function under(release: ReleaseSpec, settings: Settings): RunSpec {
  return render(release, toRunSettings(settings)).spec;
}
