import { z } from 'zod';
import { defineEvent } from './events.js';
import { Id, Name, Timestamp } from './names.js';
import { Deployment } from './workloads.js';

/** A resource lends its name to variables, and no variable starts with a digit. */
export const ResourceName = Name.refine((name) => /^[a-z]/.test(name) && name.length <= 40, {
  error: 'must start with a letter and be of 40 characters at most',
});

const ResourceVersion = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, { error: 'must be a tag of its image' })
  .describe("A tag of the entry's image");

/** How a resource of an entry may come from one version to another in place. */
export const UpgradeRule = z
  .enum(['none', 'same-major', 'any'])
  .describe(
    'Versions that a resource may be brought to in place: none, later ones with the same first number, or any',
  );
export type UpgradeRule = z.infer<typeof UpgradeRule>;

export const CatalogEntry = z
  .object({
    name: Name,
    team: Name.nullable().describe('The team that added it; null for those that come with Berth'),
    description: z.string(),
    image: z.string(),
    versions: z.array(z.string()).describe('The first is what one gets without asking'),
    upgrades: UpgradeRule,
    port: z.int(),
    variables: z.array(z.object({ name: z.string(), secret: z.boolean() })),
    backup: z.boolean().describe('Whether it can be backed up'),
    file: z.string().describe('The whole entry, as YAML text'),
  })
  .meta({ id: 'CatalogEntry' });
export type CatalogEntry = z.infer<typeof CatalogEntry>;
export const SetCatalogEntry = z
  .strictObject({ file: z.string().min(1).max(65_536).describe('The entry, as YAML text') })
  .meta({ id: 'SetCatalogEntry' });

export const Resource = z
  .object({
    name: Name.describe('Also its DNS name in the environment'),
    project: Name,
    environment: Name,
    entry: Name.describe('Of the catalog'),
    version: z.string(),
    image: z.string().describe('As pulled, by digest'),
    port: z.int(),
    credential: z.int().describe('Version of its credentials: counts up with each rotation'),
    variables: z
      .array(z.object({ name: z.string(), value: z.string().nullable().describe('Null for a secret') }))
      .describe('What a service is given that asks for it'),
    usedBy: z.array(Name).describe('Services that ask for it'),
    addedBy: Name,
    addedAt: Timestamp,
  })
  .meta({ id: 'Resource' });
export type Resource = z.infer<typeof Resource>;
export const CreateResource = z
  .strictObject({
    entry: Name.describe('Of the catalog: `postgres`, …'),
    name: ResourceName,
    version: ResourceVersion.optional().describe("One of the entry's versions; its first when left out"),
  })
  .meta({ id: 'CreateResource' });
export const UpgradeResource = z.strictObject({ version: ResourceVersion }).meta({ id: 'UpgradeResource' });

/** What holds once the deployment has succeeded. */
export const ChangedResource = Resource.extend({ deployment: Deployment }).meta({ id: 'ChangedResource' });
export type ChangedResource = z.infer<typeof ChangedResource>;

/** A backup of a resource, or the restoring of one. */
export const ResourceOperation = z
  .object({
    id: Id,
    kind: z.enum(['backup', 'restore']),
    project: Name,
    environment: Name,
    resource: Name,
    backup: Id.nullable().describe('Which backup is restored'),
    status: z
      .enum(['running', 'succeeded', 'failed'])
      .describe('A backup has succeeded when it was restored elsewhere, and found to be the same'),
    step: z.string().nullable().describe('What is being done; null at the end'),
    reason: z.string().nullable().describe('Why it failed'),
    bytes: z.int().nullable().describe('Of the dump'),
    fingerprint: z.string().nullable().describe('Of what the dump holds'),
    createdBy: Name,
    createdAt: Timestamp,
    finishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'ResourceOperation' });
export type ResourceOperation = z.infer<typeof ResourceOperation>;
export const CreateRestore = z
  .strictObject({ backup: Id.describe('A backup of this resource that succeeded') })
  .meta({ id: 'CreateRestore' });

export const resourceBackedUp = defineEvent(
  'resource.backed_up.v1',
  'A backup of a resource was made, restored elsewhere, and found to be the same.',
  ResourceOperation,
);
export const resourceBackupFailed = defineEvent(
  'resource.backup_failed.v1',
  'A backup of a resource could not be made, or its restore was not the same.',
  ResourceOperation,
);
export const resourceRestored = defineEvent(
  'resource.restored.v1',
  'A resource was brought back to what a backup holds.',
  ResourceOperation,
);
export const resourceRestoreFailed = defineEvent(
  'resource.restore_failed.v1',
  'A resource could not be brought back to what a backup holds.',
  ResourceOperation,
);
