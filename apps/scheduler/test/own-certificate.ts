import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Pair {
  certificate: string;
  key: string;
}

/** A certificate for these names, signed by `issuer` or by itself, with a key of this kind (as openssl says it). */
export async function makeCertificate(
  names: string[],
  { issuer, kind = 'ec:prime256v1' }: { issuer?: Pair; kind?: string } = {},
): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-certificate-'));
  const at = (name: string): string => join(folder, name);
  const [algorithm, parameter] = kind.split(':');
  const options: Record<string, string[]> = {
    ec: ['ec', '-pkeyopt', `ec_paramgen_curve:${parameter}`],
    rsa: [`rsa:${parameter}`],
    ed25519: ['ed25519'],
  };
  try {
    if (issuer) {
      writeFileSync(at('ca.pem'), issuer.certificate);
      writeFileSync(at('ca.key'), issuer.key, { mode: 0o600 });
    }
    await run('openssl', [
      ...['req', '-x509', '-days', '30', '-nodes', '-subj', `/CN=${names[0] ?? 'Test'}`],
      ...['-newkey', ...options[algorithm], '-keyout', at('key.pem'), '-out', at('cert.pem')],
      ...(names.length > 0 ? ['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`] : []),
      ...(issuer ? ['-CA', at('ca.pem'), '-CAkey', at('ca.key')] : []),
    ]);
    return { certificate: readFileSync(at('cert.pem'), 'utf8'), key: readFileSync(at('key.pem'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The key as base64 without its lines: what must be found nowhere. */
export function coreOf({ key }: Pair): string {
  return key.replace(/-----[A-Z ]+-----|\s/g, '');
}
