import { z } from 'zod';
import { defineEvent } from './events.js';
import { CertificateHost } from './hosts.js';
import { Name, Timestamp } from './names.js';

/** A certificate that was brought, as far as anyone is told: never its key. */
export const Certificate = z
  .object({
    host: CertificateHost,
    names: z.array(z.string()).describe('All names that it stands for'),
    issuer: z.string(),
    fingerprint: z.string().describe('SHA-256, in hexadecimal digits'),
    expiresAt: Timestamp,
    setBy: Name,
    setAt: Timestamp,
  })
  .meta({ id: 'Certificate' });
export type Certificate = z.infer<typeof Certificate>;

/** The one shape that a key is taken in; there is none that it is given out in. */
export const SetCertificate = z
  .strictObject({
    certificate: z
      .string()
      .min(1)
      .max(65_536)
      .describe('PEM: its own first, then those that lead to the root'),
    key: z
      .string()
      .min(1)
      .max(16_384)
      .describe('PEM, not encrypted: RSA, ECDSA (P-256, P-384, P-521) or Ed25519'),
  })
  .meta({ id: 'SetCertificate' });
export type SetCertificate = z.infer<typeof SetCertificate>;

export const certificateSetEvent = defineEvent(
  'certificate.set.v1',
  'A certificate was brought for a host name, in place of one that is made.',
  Certificate,
);
export const certificateRemovedEvent = defineEvent(
  'certificate.removed.v1',
  'A certificate that was brought was removed.',
  z.object({ host: z.string() }),
);
