import { Body, Controller, Delete, Get, Inject, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, Node, NodeName, nodesRpc, page, SetNode, type Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';

const ByNode = z.strictObject({ node: NodeName });
type ByNode = z.infer<typeof ByNode>;

@ApiTags('Nodes')
@Controller('v1/nodes')
export class NodesController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.nodeList, { answer: page(Node), errors: ['ENGINE_UNAVAILABLE'] })
  list(): Promise<Page<Node>> {
    return this.rpc.call(nodesRpc.list, {});
  }

  @Put(':node')
  @Operation(actions.nodeSet, {
    answer: Node,
    errors: ['CONFLICT', 'ENGINE_UNAVAILABLE'],
    description:
      'With `drain` its instances start on other nodes; those with a volume find it empty there. The last node that gets ' +
      'instances stays as it is.',
  })
  set(@Param({ schema: ByNode }) place: ByNode, @Body({ schema: SetNode }) body: SetNode): Promise<Node> {
    return this.rpc.call(nodesRpc.set, { ...place, ...body });
  }

  @Delete(':node')
  @Operation(actions.nodeRemove, { errors: ['CONFLICT', 'ENGINE_UNAVAILABLE'] })
  async remove(@Param({ schema: ByNode }) place: ByNode): Promise<void> {
    await this.rpc.call(nodesRpc.remove, place);
  }
}
