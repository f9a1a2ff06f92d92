import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';

const MODES = ['off', 'internal', 'acme'] as const;

/** How the way in comes by certificates. */
export interface TlsSettings {
  /** `BERTH_INGRESS_TLS`: not at all, of a CA of its own, or of one that speaks ACME. */
  mode: (typeof MODES)[number];
  /** `BERTH_ACME_DIRECTORY`; empty for Let's Encrypt's. */
  directory: string;
  /** PEM file with the root of a private directory, or empty. `BERTH_ACME_CA_FILE`. */
  caFile: string;
  /** `BERTH_ACME_EMAIL`. */
  email: string;
}

/** Throws an Error that names the variable. */
export function readTlsSettings(env: NodeJS.ProcessEnv): TlsSettings {
  const asked = env.BERTH_INGRESS_TLS || 'off';
  const mode = MODES.find((known) => known === asked);
  if (!mode) throw new Error(`BERTH_INGRESS_TLS must be one of ${MODES.join(', ')}, not "${asked}".`);
  const caFile = env.BERTH_ACME_CA_FILE ?? '';
  if (caFile && !(isAbsolute(caFile) && existsSync(caFile)))
    throw new Error(`BERTH_ACME_CA_FILE must be the absolute path of a PEM file, not "${caFile}".`);
  return { mode, caFile, directory: env.BERTH_ACME_DIRECTORY ?? '', email: env.BERTH_ACME_EMAIL ?? '' };
}
