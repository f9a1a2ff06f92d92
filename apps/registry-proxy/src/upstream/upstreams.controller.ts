import { Controller } from '@nestjs/common';
import { ActionPipeline, Performs, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  PLATFORM,
  positionOf,
  registryRpc,
  toPage,
  upstreamRemovedEvent,
  upstreamSetEvent,
  type CheckedUpstream,
  type NamedUpstream,
  type Page,
  type PageRequest,
  type SetNamedUpstream,
  type Upstream,
} from '@berth/contracts';
import { draftEvent, Handles } from '@berth/messaging';
import { AddedUpstreams, type UpstreamRow } from './added-upstreams.js';
import { UpstreamClient } from './upstream-client.js';
import { UpstreamDirectory } from './upstream-directory.js';

/** Registries to pull images through from: those of the environment, which stand first, and those that admins add. */
@Controller()
export class UpstreamsController {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly added: AddedUpstreams,
    private readonly directory: UpstreamDirectory,
    private readonly client: UpstreamClient,
  ) {}

  @Handles(registryRpc.upstreams)
  @Performs(actions.upstreamList)
  list({ cursor, limit }: PageRequest): Promise<Page<Upstream>> {
    return this.pipeline.read({ action: actions.upstreamList, resource: PLATFORM, context: {} }, async () => {
      const after = positionOf(cursor, 'name');
      const fixed = [...this.directory.ofEnvironment.values()]
        .filter(({ name }) => name > after)
        .map(({ name, url, credentials, tokenHosts }): UpstreamRow | FixedUpstream => ({
          ...{ name, url, credentials: credentials !== null, tokenHosts: [...tokenHosts], fixed: true },
        }));
      const shadowed = new Set(this.directory.ofEnvironment.keys());
      const added = (await this.added.list(after, limit + 1 + shadowed.size)).filter(
        ({ name }) => !shadowed.has(name),
      );
      const all = [...fixed, ...added].sort((a, b) => (a.name < b.name ? -1 : 1));
      return toPage(
        all.slice(0, limit + 1),
        limit,
        (row) => this.told(row),
        ({ name }) => ({ name }),
      );
    });
  }

  @Handles(registryRpc.setUpstream)
  @Performs(actions.upstreamSet)
  async set(request: SetNamedUpstream): Promise<Upstream> {
    const { name, url, username, tokenHosts } = request;
    const credentials = username !== undefined;
    const intent = {
      action: actions.upstreamSet,
      resource: PLATFORM,
      context: { name, url, credentials, tokenHosts },
    };
    const row = await this.pipeline.change(intent, async (transaction) => {
      this.requireAdded(name);
      const result = await this.added.put(request, requireActor().user, transaction);
      return { result, outcome: {}, events: [draftEvent(upstreamSetEvent, {}, { name, url, credentials })] };
    });
    await this.added.refresh();
    return this.told(row);
  }

  @Handles(registryRpc.removeUpstream)
  @Performs(actions.upstreamRemove)
  async remove({ name }: NamedUpstream): Promise<Record<string, never>> {
    const intent = { action: actions.upstreamRemove, resource: PLATFORM, context: { name } };
    await this.pipeline.change(intent, async (transaction) => {
      this.requireAdded(name);
      if (!(await this.added.remove(name, transaction))) throw unknown(name);
      return { result: null, outcome: {}, events: [draftEvent(upstreamRemovedEvent, {}, { name })] };
    });
    await this.added.refresh();
    return {};
  }

  @Handles(registryRpc.checkUpstream)
  @Performs(actions.upstreamCheck)
  check({ name }: NamedUpstream): Promise<CheckedUpstream> {
    return this.pipeline.read(
      { action: actions.upstreamCheck, resource: PLATFORM, context: { name } },
      async () => {
        // It may have been added by another instance a moment ago.
        await this.added.refresh();
        const upstream = this.directory.get(name);
        if (upstream === undefined) throw unknown(name);
        const begun = performance.now();
        const reason = await this.client.check(upstream);
        return {
          name,
          answers: reason === null,
          reason,
          milliseconds: Math.round(performance.now() - begun),
        };
      },
    );
  }

  private requireAdded(name: string): void {
    if (!this.directory.ofEnvironment.has(name)) return;
    throw new BerthError('CONFLICT', `"${name}" is named by BERTH_UPSTREAMS, and is changed there.`);
  }

  private told(row: UpstreamRow | FixedUpstream): Upstream {
    const { name, url, tokenHosts } = row;
    const rate = this.client.rateOf(name);
    if ('fixed' in row)
      return {
        name,
        url,
        tokenHosts,
        credentials: row.credentials,
        fixed: true,
        setBy: null,
        setAt: null,
        rate,
      };
    const { setBy, setAt } = row;
    return {
      name,
      url,
      tokenHosts,
      credentials: row.password !== null,
      fixed: false,
      setBy,
      setAt: setAt.toISOString(),
      rate,
    };
  }
}

interface FixedUpstream {
  name: string;
  url: string;
  credentials: boolean;
  tokenHosts: string[];
  fixed: true;
}

function unknown(name: string): BerthError {
  return new BerthError('NOT_FOUND', `There is no upstream "${name}".`);
}
