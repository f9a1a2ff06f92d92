import type { Problems } from './problems.js';
import { asList, asMap, asText, Section } from './section.js';
import type { SecretMountSpec } from './spec.js';
import type { ComposeNode, MapNode } from './tree.js';

const FOLDER = '/run/secrets';
/** Readable by all in the container, as the Compose Specification has it. */
const MODE = 0o444;

/** What secrets may be called. */
export function parseSecretName(text: string): string | null {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(text) ? text : null;
}

/** The top-level `secrets`: each is one of the environment's, whose value no file holds. */
export function readSecretDefinitions(map: MapNode, problems: Problems): Set<string> {
  const names = new Set<string>();
  for (const [name, { key, value }] of map.entries) {
    if (name.startsWith('x-')) continue;
    if (parseSecretName(name) === null)
      problems.invalid(key, `"${name.slice(0, 80)}" is no name of a secret`);
    names.add(name);
    if (value.kind === 'scalar' && value.type === 'null') continue;
    const definition = asMap(value, problems);
    if (!definition) continue;
    const section = new Section(definition, problems);
    section.boolean('external');
    section.finish({
      file: 'set its value with "berth secret set"',
      environment: 'set its value with "berth secret set"',
      name: 'it is called as the environment calls it',
    });
  }
  return names;
}

/** `secrets` of a service, short and long (Compose Specification, 05-services.md, "secrets"). */
export function readSecretMounts(
  node: ComposeNode,
  known: ReadonlySet<string>,
  problems: Problems,
): SecretMountSpec[] {
  const mounts: SecretMountSpec[] = [];
  for (const item of asList(node, problems)?.items ?? []) {
    const mount = item.kind === 'map' ? longMount(new Section(item, problems)) : shortMount(item, problems);
    if (!mount) continue;
    if (!known.has(mount.secret))
      problems.invalid(
        item,
        `the secret "${mount.secret.slice(0, 80)}" is not declared under the top-level "secrets"`,
      );
    else if (mounts.some(({ file }) => file?.path === mount.file?.path))
      problems.invalid(item, `"${mount.file?.path}" is mounted twice`);
    else mounts.push(mount);
  }
  return mounts;
}

function shortMount(node: ComposeNode, problems: Problems): SecretMountSpec | undefined {
  const secret = asText(node, problems);
  return secret === undefined ? undefined : fileMount(secret, secret, '0', '0', MODE);
}

function longMount(section: Section): SecretMountSpec | undefined {
  const secret = section.string('source');
  const target = section.parsed('target', 'a file name, or an absolute path', parseTarget);
  const uid = section.parsed('uid', 'a number', parseId) ?? '0';
  const gid = section.parsed('gid', 'a number', parseId) ?? '0';
  const mode = section.parsed('mode', 'an octal mode such as 0440', parseMode) ?? MODE;
  section.finish();
  return secret === undefined ? undefined : fileMount(secret, target ?? secret, uid, gid, mode);
}

function fileMount(secret: string, target: string, uid: string, gid: string, mode: number): SecretMountSpec {
  const path = target.startsWith('/') ? target : `${FOLDER}/${target}`;
  return { secret, file: { path, uid, gid, mode }, variable: null };
}

function parseTarget(text: string): string | null {
  const fits = /^\/?[\w.-]+(\/[\w.-]+)*$/.test(text) && !text.split('/').includes('..');
  return fits ? text : null;
}

function parseId(text: string): string | null {
  return /^\d{1,10}$/.test(text) ? text : null;
}

function parseMode(text: string): number | null {
  const octal = /^0?o?([0-7]{3,4})$/.exec(text)?.[1];
  return octal === undefined ? null : Number.parseInt(octal, 8);
}
