import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { BerthError } from '@berth/contracts';

/** A certificate and its key, written anew from what was understood of them. */
export interface CheckedCertificate {
  certificate: string;
  key: string;
  names: string[];
  issuer: string;
  fingerprint: string;
  expiresAt: Date;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const MIN_RSA_BITS = 2_048;

/**
 * Whether clients of `host` can be shown this. Strict, since Caddy takes all of its configuration or nothing. Throws
 * CERTIFICATE_INVALID, which says nothing of the key but its kind.
 */
export function checkCertificate(host: string, certificate: string, key: string): CheckedCertificate {
  const chain = readChain(certificate);
  const [leaf] = chain;
  const privateKey = readKey(key);
  if (!leaf.checkPrivateKey(privateKey)) throw invalid('The key is not that of the first certificate.');
  const names = namesOf(leaf);
  if (!covers(names, host))
    throw invalid(`It is for ${names.slice(0, 10).join(', ') || 'no host name'}, not for "${host}".`);
  const expiresAt = new Date(leaf.validTo);
  if (expiresAt.getTime() <= Date.now()) throw invalid(`It has expired on ${expiresAt.toISOString()}.`);
  const strangers = chain.slice(1).some((issuer, index) => !chain[index].checkIssued(issuer));
  if (strangers) throw invalid('Each certificate must be followed by that of its issuer.');
  return {
    ...{ names, expiresAt },
    certificate: chain.map((each) => each.toString()).join(''),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    issuer: leaf.issuer.replaceAll('\n', ', '),
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** Whether a certificate for these names is shown for a host. `*.` stands for one label. */
export function covers(names: readonly string[], host: string): boolean {
  const parent = `*${host.slice(host.indexOf('.'))}`;
  return names.some((name) => name === host || name === parent);
}

function readChain(pem: string): X509Certificate[] {
  try {
    const chain = (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block));
    if (chain.length > 0) return chain;
  } catch {
    // Told below, as the other is.
  }
  throw invalid('There is no certificate in PEM form in it, or one that cannot be read.');
}

function readKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    // Without the cause: it might hold some of the key.
    throw invalid('The key cannot be read: it must be in PEM form, and not encrypted.');
  }
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const served =
    key.asymmetricKeyType === 'ed25519' ||
    (key.asymmetricKeyType === 'ec' && CURVES.has(namedCurve)) ||
    (key.asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS);
  if (!served)
    throw invalid(
      `A key of the kind ${[key.asymmetricKeyType, namedCurve].join(' ').trim()} is not served: use RSA from ${MIN_RSA_BITS} bits, ECDSA with P-256, P-384 or P-521, or Ed25519.`,
    );
  return key;
}

function namesOf({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length).toLowerCase());
}

function invalid(detail: string): BerthError {
  return new BerthError('CERTIFICATE_INVALID', detail);
}
