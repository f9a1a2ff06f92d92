import { z } from 'zod';
import { Node, NodeName, SetNode } from '../nodes.js';
import { page } from '../pages.js';
import { defineRpc } from './define.js';

const named = z.strictObject({ node: NodeName });

export const nodesRpc = {
  list: defineRpc('scheduler', 'node.list', z.strictObject({}), page(Node)),
  set: defineRpc('scheduler', 'node.set', named.extend(SetNode.shape), Node),
  remove: defineRpc('scheduler', 'node.remove', named, z.object({})),
};
