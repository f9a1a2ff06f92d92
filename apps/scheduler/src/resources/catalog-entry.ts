import { parse, YAMLError } from 'yaml';
import { z } from 'zod';
import { BerthError, UpgradeRule, type CatalogEntry } from '@berth/contracts';
import { entryService } from './entry-service.js';

const MAX_BYTES = 65_536;
const Script = z.string().min(1).max(16_384);

/** An entry of the catalog, as its file has it (docs/guide/resources.md). */
export const EntryFile = z.strictObject({
  description: z.string().min(1).max(200),
  /** Without a tag. */
  image: z.string().regex(/^[\w][\w./:-]*$/),
  /** Tags of the image; the first is what one gets without asking. */
  versions: z
    .array(z.union([z.string(), z.number().transform(String)]))
    .min(1)
    .max(50),
  upgrades: UpgradeRule.default('none'),
  port: z.int().min(1).max(65_535),
  /** Made once, and given to the resource itself as files: `/run/secrets/<name>`. */
  secrets: z.array(z.string().regex(/^[a-z][a-z0-9_]{0,20}$/)).default([]),
  volumes: z.array(z.string().regex(/^[a-z][a-z0-9_-]{0,20}$/)).default([]),
  /** A service as in a Compose file, without its image. `${NAME}`, `${PORT}` and `${VERSION}` stand for the resource's. */
  service: z
    .looseObject({ healthcheck: z.looseObject({}, { error: 'a resource needs a health check' }) })
    .refine((service) => !('image' in service), { error: 'the image stands above' }),
  /**
   * What a service is given that uses it, each as `<RESOURCE>_<NAME>`. `${HOST}`, `${PORT}`, `${USERNAME}` and
   * `${PASSWORD}` stand for its own; what holds the password is a secret.
   */
  variables: z.record(z.string().regex(/^[A-Z][A-Z0-9_]{0,30}$/), z.string().max(1_000)),
  commands: z.strictObject({
    /** Makes the user USERNAME with PASSWORD, or sets its password. Run in the resource's container, as all of these. */
    add_user: Script,
    remove_user: Script,
    /** Writes all that it holds to stdout. A last line `fingerprint=…` on stderr says what that is. */
    backup: Script.optional(),
    /** Reads on stdin what `backup` wrote, and puts it in place of what there is. */
    restore: Script.optional(),
  }),
  /** Whether it takes up what was restored when it starts again: then it is ended after `restore`. */
  restart_to_restore: z.boolean().default(false),
  /** Lines of a dump that differ from one to the next of the same data: a regular expression. Without a fingerprint. */
  volatile_lines: z.string().max(200).optional(),
});
export type EntryFile = z.infer<typeof EntryFile>;

/** Reads an entry and tries it out. Throws CATALOG_ENTRY_INVALID with all that is wrong. */
export function readEntry(name: string, text: string): EntryFile {
  const entry = parseEntry(name, text);
  try {
    // As a resource by another name would: what is wrong shows now, and not when somebody wants one.
    entryService('trial', entry, entry.versions[0]);
    if (entry.volatile_lines !== undefined) new RegExp(entry.volatile_lines);
  } catch (cause) {
    if (cause instanceof BerthError || cause instanceof SyntaxError)
      throw invalid(name, cause.message, { cause });
    throw cause;
  }
  if ((entry.commands.backup === undefined) !== (entry.commands.restore === undefined))
    throw invalid(name, '"commands" must have both "backup" and "restore", or neither');
  return entry;
}

/** Reads an entry that was tried out before. */
export function parseEntry(name: string, text: string): EntryFile {
  if (Buffer.byteLength(text) > MAX_BYTES) throw invalid(name, `it is larger than ${MAX_BYTES} bytes`);
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 10 });
  } catch (error) {
    if (error instanceof YAMLError || error instanceof ReferenceError) throw invalid(name, error.message);
    throw error;
  }
  const { success, data, error } = EntryFile.safeParse(value);
  if (success) return data;
  const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'the entry'}: ${message}`);
  throw invalid(name, problems.join('; '));
}

function invalid(name: string, problem: string, options?: ErrorOptions): BerthError {
  return new BerthError('CATALOG_ENTRY_INVALID', `The entry "${name}": ${problem}`, {}, options);
}

export function isSecret(template: string): boolean {
  return /\$\{?PASSWORD\b/.test(template);
}

export function toCatalogEntry(name: string, team: string | null, file: string): CatalogEntry {
  const { description, image, versions, upgrades, port, variables, commands } = parseEntry(name, file);
  return {
    ...{ name, team, description, image, versions, upgrades, port, file },
    variables: Object.entries(variables).map(([variable, template]) => ({
      name: variable,
      secret: isSecret(template),
    })),
    backup: commands.backup !== undefined,
  };
}
