import type { Problems } from './problems.js';
import { parseByteSize } from './quantities.js';
import type { TmpfsSpec, VolumeMountSpec, VolumeSpec } from './spec.js';
import { asList, asText, Section } from './section.js';
import type { ComposeNode, MapNode } from './tree.js';
import { readLabels } from './read-environment.js';

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;
const BIND =
  'a bind mount of the host is not supported: use a named volume, declared under the top-level "volumes"';

/** The top-level `volumes`: named, on the engine's local driver. */
export function readVolumeDefinitions(map: MapNode, problems: Problems): Record<string, VolumeSpec> {
  const volumes: Record<string, VolumeSpec> = {};
  for (const [name, { key, value }] of map.entries) {
    if (name.startsWith('x-')) continue;
    if (!VOLUME_NAME.test(name)) problems.invalid(key, `"${name.slice(0, 80)}" is no name of a volume`);
    volumes[name] = { labels: {} };
    if (value.kind === 'scalar' && value.type === 'null') continue;
    if (value.kind !== 'map') {
      problems.invalid(value, 'must be a mapping or empty');
      continue;
    }
    const section = new Section(value, problems);
    const driver = section.string('driver');
    if (driver !== undefined && driver !== 'local')
      problems.unsupported(section.keyPlace('driver'), `the volume driver "${driver}" is not supported`);
    const labels = section.take('labels');
    if (labels) volumes[name].labels = readLabels(labels, problems);
    section.finish();
  }
  return volumes;
}

export interface Mounts {
  volumes: VolumeMountSpec[];
  tmpfs: TmpfsSpec[];
}

/** `volumes` of a service, short and long: named volumes, and tmpfs in the long form. */
export function readMounts(node: ComposeNode, known: ReadonlySet<string>, problems: Problems): Mounts {
  const mounts: Mounts = { volumes: [], tmpfs: [] };
  for (const item of asList(node, problems)?.items ?? []) {
    if (item.kind === 'map') longMount(new Section(item, problems), known, problems, mounts);
    else {
      const mount = shortMount(item, known, problems);
      if (mount) mounts.volumes.push(mount);
    }
  }
  return mounts;
}

function shortMount(
  node: ComposeNode,
  known: ReadonlySet<string>,
  problems: Problems,
): VolumeMountSpec | undefined {
  const text = asText(node, problems);
  if (text === undefined) return undefined;
  const [source, path, options, ...rest] = text.split(':');
  if (path === undefined) {
    if (source.startsWith('/'))
      problems.unsupported(node, 'an anonymous volume is not supported: its data would be lost; name it');
    else problems.invalid(node, 'must be "volume:/path[:ro]"');
    return undefined;
  }
  if (/^[./~]/.test(source) || /^[A-Za-z]:?\\/.test(source)) {
    problems.unsupported(node, BIND);
    return undefined;
  }
  if (rest.length > 0) problems.invalid(node, 'must be "volume:/path[:ro]"');
  const flags = new Set(options?.split(',') ?? []);
  for (const flag of flags) {
    if (!['ro', 'rw', 'nocopy'].includes(flag)) problems.unsupported(node, `the mount option "${flag}"`);
  }
  return checkedMount(
    node,
    { volume: source, path, readOnly: flags.has('ro'), noCopy: flags.has('nocopy') },
    known,
    problems,
  );
}

function longMount(section: Section, known: ReadonlySet<string>, problems: Problems, into: Mounts): void {
  const type = section.string('type');
  const path = section.string('target');
  if (type === 'bind') {
    problems.unsupported(section.keyPlace('type'), BIND);
    return;
  }
  if (type !== 'volume' && type !== 'tmpfs') {
    const message =
      type === undefined ? 'a mount must have a "type"' : `mounts of type "${type}" are not supported`;
    problems.unsupported(section.keyPlace('type'), message);
    return;
  }
  if (path === undefined) {
    problems.invalid(section.node, 'a mount must have a "target"');
    return;
  }
  if (type === 'tmpfs') {
    const options = section.section('tmpfs');
    const sizeBytes = options?.parsed('size', 'a size such as "64m"', parseByteSize) ?? null;
    const mode = options?.parsed('mode', 'an octal mode such as 1777', parseMode) ?? null;
    options?.finish();
    section.finish();
    if (checkPath(section.node, path, problems)) into.tmpfs.push({ path, sizeBytes, mode });
    return;
  }
  const source = section.string('source');
  const readOnly = section.boolean('read_only') ?? false;
  const options = section.section('volume');
  const noCopy = options?.boolean('nocopy') ?? false;
  options?.finish();
  section.finish();
  if (source === undefined) {
    problems.unsupported(
      section.node,
      'an anonymous volume is not supported: its data would be lost; name it',
    );
    return;
  }
  const mount = checkedMount(section.node, { volume: source, path, readOnly, noCopy }, known, problems);
  if (mount) into.volumes.push(mount);
}

function checkedMount(
  at: ComposeNode,
  mount: VolumeMountSpec,
  known: ReadonlySet<string>,
  problems: Problems,
): VolumeMountSpec | undefined {
  if (known.has(mount.volume)) return checkPath(at, mount.path, problems) ? mount : undefined;
  problems.invalid(
    at,
    `the volume "${mount.volume.slice(0, 80)}" is not declared under the top-level "volumes"`,
  );
  return undefined;
}

/** `tmpfs`: one path or several, each with options `size` and `mode`. */
export function readTmpfs(node: ComposeNode, problems: Problems): TmpfsSpec[] {
  const items = node.kind === 'list' ? node.items : [node];
  return items.flatMap((item) => {
    const text = asText(item, problems);
    if (text === undefined) return [];
    const [path, options] = text.split(/:(.*)/s);
    const tmpfs: TmpfsSpec = { path, sizeBytes: null, mode: null };
    for (const option of options ? options.split(',') : []) {
      const [name, value = ''] = option.split('=');
      if (name === 'size') tmpfs.sizeBytes = parseByteSize(value);
      else if (name === 'mode') tmpfs.mode = parseMode(value);
      else
        problems.unsupported(
          item,
          `the tmpfs option "${name.slice(0, 40)}"; "size" and "mode" are supported`,
        );
      if ((name === 'size' && tmpfs.sizeBytes === null) || (name === 'mode' && tmpfs.mode === null))
        problems.invalid(item, `"${option.slice(0, 80)}" cannot be read`);
    }
    return checkPath(item, path, problems) ? [tmpfs] : [];
  });
}

function parseMode(text: string): number | null {
  const octal = /^0?o?([0-7]{3,4})$/.exec(text)?.[1];
  return octal === undefined ? null : Number.parseInt(octal, 8);
}

function checkPath(at: ComposeNode, path: string, problems: Problems): boolean {
  if (path.startsWith('/') && path !== '/' && !path.split('/').includes('..')) return true;
  problems.invalid(at, `"${path.slice(0, 80)}" must be an absolute path within the container`);
  return false;
}
