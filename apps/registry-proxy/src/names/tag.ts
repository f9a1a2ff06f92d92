import { isDigest, type Digest } from './digest.js';

// OCI distribution spec 1.1, "Pulling manifests".
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** What a manifest is asked for by. */
export type ManifestReference = { tag: string; digest?: undefined } | { digest: Digest; tag?: undefined };

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Null when the text is neither a tag nor a digest. */
export function parseManifestReference(text: string): ManifestReference | null {
  if (isDigest(text)) return { digest: text };
  return isTag(text) ? { tag: text } : null;
}
