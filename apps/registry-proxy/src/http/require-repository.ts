import type { ImageCatalog } from '../catalog/image-catalog.js';
import { OciError } from './oci-error.js';

/** Throws NAME_UNKNOWN for a repository that nothing was ever put into. */
export async function requireRepository(catalog: ImageCatalog, name: string): Promise<void> {
  if (await catalog.hasRepository(name)) return;
  throw new OciError('NAME_UNKNOWN', `there is no repository ${name}`, { detail: { name } });
}
