import { actions, registryOf, type ResourceRef } from '@berth/contracts';
import type { RepositoryName } from '../names/repository-name.js';
import { parseManifestReference } from '../names/tag.js';

/** A repository as policy knows it; one that is pulled through belongs to no team. */
export function imageResource(name: RepositoryName): ResourceRef {
  return { type: 'Image', id: name.name, ...(name.kind === 'hosted' ? { team: name.team } : {}) };
}

/** What an image is called, as policy is told before and after. */
export function imageNamed(name: RepositoryName, reference: string) {
  const parsed = parseManifestReference(reference);
  return { registry: registryOf(name.name), repository: name.name, reference, ...parsed };
}

export function pullIntent(name: RepositoryName, reference: string) {
  return { action: actions.imagePull, resource: imageResource(name), context: imageNamed(name, reference) };
}

export function pushIntent(name: RepositoryName, reference: string) {
  return { action: actions.imagePush, resource: imageResource(name), context: imageNamed(name, reference) };
}

export function deleteIntent(name: RepositoryName, reference: string) {
  return { action: actions.imageDelete, resource: imageResource(name), context: imageNamed(name, reference) };
}

export function listIntent(name: RepositoryName) {
  const context = { registry: registryOf(name.name), repository: name.name };
  return { action: actions.imageList, resource: imageResource(name), context };
}
