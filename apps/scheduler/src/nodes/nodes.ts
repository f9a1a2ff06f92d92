import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  BerthError,
  nodeRemovedEvent,
  nodeSetEvent,
  type Node,
  type nodesRpc,
  type Page,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import { ENGINE_NODES, type EngineNodes } from '../engine/engine-nodes.js';

type Set = z.infer<typeof nodesRpc.set.request>;

/** The machines of the swarm: which get instances, and which are there no more. */
@Injectable()
export class NodesService {
  constructor(
    @Inject(ENGINE_NODES) private readonly engine: EngineNodes,
    private readonly pipeline: ActionPipeline,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  list(): Promise<Page<Node>> {
    const intent = { action: actions.nodeList, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, async () => ({ items: await this.engine.list(), nextCursor: null }));
  }

  /** Throws CONFLICT where no other node would get instances. */
  async set({ node: name, availability }: Set): Promise<Node> {
    const named = new Named(await this.engine.list(), name);
    const context = { ...named.facts, from: named.fact('availability'), availability };
    let undo = (): Promise<void> => Promise.resolve();
    try {
      return await this.pipeline.change(
        { action: actions.nodeSet, resource: PLATFORM, context },
        async () => {
          const { id, name: node, availability: from } = named.one();
          if (named.facts.active === 0 && availability !== 'active') throw isLast(node);
          undo = () => this.engine.setAvailability(id, from);
          await this.engine.setAvailability(id, availability);
          const result = new Named(await this.engine.list(), id).one();
          const event = draftEvent(nodeSetEvent, {}, { id, name: node, from, availability });
          return { result, outcome: { availability: result.availability }, events: [event] };
        },
      );
    } catch (error) {
      // Denied as it came out, or not written down: then it is not to be so.
      await undo().catch((failure: unknown) =>
        this.logger.error({ err: failure, node: name }, 'node.not-undone'),
      );
      throw error;
    }
  }

  async remove(name: string): Promise<Record<string, never>> {
    const named = new Named(await this.engine.list(), name);
    const context = { ...named.facts, state: named.fact('state') };
    return this.pipeline.change({ action: actions.nodeRemove, resource: PLATFORM, context }, async () => {
      const { id, name: node } = named.one();
      await this.engine.remove(id);
      return { result: {}, outcome: {}, events: [draftEvent(nodeRemovedEvent, {}, { id, name: node })] };
    });
  }
}

/** What is called so, by its name or its id. Policy is asked about what is not there too: only who may see the nodes learns which there are. */
class Named {
  private readonly found: Node[];

  constructor(
    private readonly nodes: readonly Node[],
    private readonly name: string,
  ) {
    this.found = nodes.filter((node) => node.name === name || node.id === name);
  }

  get facts(): { node: string; role: string; active: number } {
    const others = this.nodes.filter((node) => !this.found.includes(node));
    const active = others.filter(({ state, availability }) => state === 'ready' && availability === 'active');
    return { node: this.found[0]?.name ?? this.name, role: this.fact('role'), active: active.length };
  }

  fact(name: 'role' | 'state' | 'availability'): string {
    return this.found[0]?.[name] ?? 'unknown';
  }

  one(): Node {
    if (this.found.length === 1) return this.found[0];
    if (this.found.length === 0) throw new BerthError('NOT_FOUND', `There is no node "${this.name}".`);
    const ids = this.found.map(({ id }) => id).join(', ');
    throw new BerthError('CONFLICT', `Several nodes are called "${this.name}". Say which by its id: ${ids}.`);
  }
}

function isLast(name: string): BerthError {
  return new BerthError(
    'CONFLICT',
    `"${name}" is the only node that gets instances: nothing could start any more. Add another, or make one active, first.`,
  );
}
