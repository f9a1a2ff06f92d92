import { z } from 'zod';

/** A DNS label (RFC 1123, section 2.1): what teams, projects, environments and services are called. */
export const Name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'must be a DNS label: 1 to 63 of a-z, 0-9 and "-", starting and ending with a letter or a digit',
  })
  .describe('A DNS label: lower-case letters, digits and "-", 63 at most');
export type Name = z.infer<typeof Name>;

/** `sha256:` and 64 hexadecimal digits (OCI image spec, descriptor.md, "Digests"). */
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, { error: 'must be "sha256:" and 64 hexadecimal digits' })
  .describe('A content digest, sha256:…');
export type Digest = z.infer<typeof Digest>;

export const Id = z.uuid().describe('A UUID, version 7: sorts by time of creation');
export const Timestamp = z.iso.datetime().describe('RFC 3339, UTC');

export const ServiceName = z.enum(['gateway', 'registry-proxy', 'scheduler', 'policy', 'audit', 'quota']);
export type ServiceName = z.infer<typeof ServiceName>;
