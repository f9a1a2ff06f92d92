import { isDigest, type Digest } from '../names/digest.js';
import { parseManifestReference, type ManifestReference } from '../names/tag.js';
import { OciError, type OciCode } from './oci-error.js';

/** What a path names a manifest by. Throws OciError with the code that the route has for what is neither. */
export function requireReference(text: string, code: OciCode): ManifestReference {
  const parsed = parseManifestReference(text);
  if (parsed !== null) return parsed;
  throw new OciError(code, `"${text.slice(0, 200)}" is neither a tag nor a sha256 or sha512 digest`);
}

/** Throws DIGEST_INVALID for what is none. */
export function requireDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new OciError('DIGEST_INVALID', `"${text.slice(0, 200)}" is not a sha256 or sha512 digest`);
}
