import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  BerthError,
  type LibraryPolicy,
  type policyRpc,
  type RenderedPolicy,
  PLATFORM,
} from '@berth/contracts';
import { readEntry, render } from './library-entry.js';

/** Beside the sources as beside what is built of them. */
const FOLDER = join(__dirname, '..', '..', 'library');
const SUFFIX = '.yaml';

/** The policies that come with Berth for whoever wants them, by name. Read once. */
export const LIBRARY: ReadonlyMap<string, LibraryPolicy> = new Map(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .sort()
    .map((file) => file.slice(0, -SUFFIX.length))
    .map((id) => [id, readEntry(id, readFileSync(join(FOLDER, `${id}${SUFFIX}`), 'utf8'))]),
);

@Injectable()
export class PolicyLibrary {
  constructor(private readonly pipeline: ActionPipeline) {}

  list(): Promise<{ items: LibraryPolicy[] }> {
    const intent = { action: actions.policyList, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, () => Promise.resolve({ items: [...LIBRARY.values()] }));
  }

  render({
    entry,
    id,
    parameters,
  }: z.output<typeof policyRpc.renderLibraryPolicy.request>): Promise<RenderedPolicy> {
    const intent = { action: actions.policyList, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, () => {
      const found = LIBRARY.get(entry);
      if (!found) throw new BerthError('NOT_FOUND', `The library has no policy "${entry}".`);
      const named = id ?? entry;
      return Promise.resolve({ id: named, text: render(found, named, parameters) });
    });
  }
}
