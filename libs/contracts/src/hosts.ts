import { z } from 'zod';

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
// No name in the DNS ends in a number; every address does.
const NAME = `(?=.{1,253}$)(${LABEL}\\.)+(?!\\d+$)${LABEL}`;

/** A name that services answer at. */
export const HostName = z
  .string()
  .regex(new RegExp(`^${NAME}$`), { error: 'must be a host name in lower case such as shop.example.org' });

/** What a certificate is for: a name, or all names one label below it. */
export const CertificateHost = z
  .string()
  .regex(new RegExp(`^(\\*\\.)?${NAME}$`), {
    error: 'must be a host name in lower case such as shop.example.org, or *.example.org',
  })
  .describe('A host name in lower case, or `*.` and one');
export type CertificateHost = z.infer<typeof CertificateHost>;
