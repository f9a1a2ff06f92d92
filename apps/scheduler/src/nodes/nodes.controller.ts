import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, nodesRpc, type Node, type Page } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { NodesService } from './nodes.js';

@Controller()
export class NodesController {
  constructor(private readonly nodes: NodesService) {}

  @Handles(nodesRpc.list)
  @Performs(actions.nodeList)
  list(): Promise<Page<Node>> {
    return this.nodes.list();
  }

  @Handles(nodesRpc.set)
  @Performs(actions.nodeSet)
  set(request: z.infer<typeof nodesRpc.set.request>): Promise<Node> {
    return this.nodes.set(request);
  }

  @Handles(nodesRpc.remove)
  @Performs(actions.nodeRemove)
  remove({ node }: z.infer<typeof nodesRpc.remove.request>): Promise<Record<string, never>> {
    return this.nodes.remove(node);
  }
}
