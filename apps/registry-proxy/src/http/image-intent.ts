import { actions, registryOf, type ResourceRef } from '@berth/contracts';
import type { RepositoryName } from '../names/repository-name.js';

/** A repository as policy knows it; one that is pulled through belongs to no team. */
export function imageResource(name: RepositoryName): ResourceRef {
  return { type: 'Image', id: name.name, ...(name.kind === 'hosted' ? { team: name.team } : {}) };
}

function facts(name: RepositoryName, reference: string) {
  return { registry: registryOf(name.name), repository: name.name, reference };
}

export function pullIntent(name: RepositoryName, reference: string) {
  return { action: actions.imagePull, resource: imageResource(name), context: facts(name, reference) };
}

export function pushIntent(name: RepositoryName, reference: string) {
  return { action: actions.imagePush, resource: imageResource(name), context: facts(name, reference) };
}

export function deleteIntent(name: RepositoryName, reference: string) {
  return { action: actions.imageDelete, resource: imageResource(name), context: facts(name, reference) };
}

export function listIntent(name: RepositoryName) {
  const { registry, repository } = facts(name, '');
  return { action: actions.imageList, resource: imageResource(name), context: { registry, repository } };
}
