import type Docker from 'dockerode';
import { BerthError, type Node, type NodeAvailability } from '@berth/contracts';
import type { EngineNodes } from '../engine-nodes.js';
import { callEngine, engineMessage, hasStatus, orUndefined } from './docker-client.js';
import { toPlatform } from './swarm-node.js';

const ATTEMPTS = 5;
const NANO = 1e9;

/** Docker Engine API 1.41, `Node`. */
interface SwarmNodeObject {
  ID: string;
  Version: { Index: number };
  Spec: { Role: Node['role']; Availability: NodeAvailability };
  Description: {
    Hostname: string;
    Platform: { OS: string; Architecture: string };
    Resources: { NanoCPUs: number; MemoryBytes: number };
    Engine: { EngineVersion: string };
  };
  Status: { State: Node['state']; Message?: string; Addr: string };
  ManagerStatus?: { Addr: string };
}

/** The nodes of the swarm. */
export class SwarmNodes implements EngineNodes {
  constructor(private readonly docker: Docker) {}

  async list(): Promise<Node[]> {
    const found = await callEngine(() => this.docker.listNodes() as Promise<SwarmNodeObject[]>);
    const { Swarm: swarm } = await callEngine(
      () => this.docker.info() as Promise<{ Swarm?: { NodeID?: string } }>,
    );
    return found.map((node) => toNode(node, swarm?.NodeID)).sort(byName);
  }

  async setAvailability(id: string, availability: NodeAvailability): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const node = await this.inspect(id);
      if (node.Spec.Availability === availability) return;
      try {
        // Other keys of the specification, such as labels, stay as they are.
        const spec = { ...node.Spec, Availability: availability, version: node.Version.Index };
        await callEngine(() => this.docker.getNode(id).update(spec) as Promise<unknown>);
        return;
      } catch (error) {
        const outdated = /update out of sequence/i.test(engineMessage(error));
        if (!outdated || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async remove(id: string): Promise<void> {
    try {
      await callEngine(() => this.docker.getNode(id).remove() as Promise<unknown>);
    } catch (error) {
      if (hasStatus(error, 404)) throw gone(id);
      if (!/not down|is a cluster manager|is a manager/i.test(engineMessage(error))) throw error;
      throw new BerthError(
        'CONFLICT',
        'Only a worker that is down can be removed. Drain it, run "docker swarm leave" on it (after "docker node demote", if ' +
          'it is a manager), and try again.',
        {},
        { cause: error },
      );
    }
  }

  private async inspect(id: string): Promise<SwarmNodeObject> {
    const found = await orUndefined(() => this.docker.getNode(id).inspect() as Promise<SwarmNodeObject>);
    if (!found) throw gone(id);
    return found;
  }
}

function gone(id: string): BerthError {
  return new BerthError('NOT_FOUND', `The node ${id} is not in the swarm any more.`);
}

function toNode(node: SwarmNodeObject, own: string | undefined): Node {
  const { ID: id, Spec: spec, Description: about, Status: status, ManagerStatus: manager } = node;
  return {
    ...{ id, name: about.Hostname, role: spec.Role, availability: spec.Availability },
    ...{ state: status.State, message: status.Message || null },
    // A manager that made the swarm is told of as 0.0.0.0 by its own status.
    address: manager?.Addr.replace(/:\d+$/, '') ?? status.Addr,
    platform: toPlatform(about.Platform.OS, about.Platform.Architecture),
    ...{ cpu: about.Resources.NanoCPUs / NANO, memory: about.Resources.MemoryBytes },
    ...{ engineVersion: about.Engine.EngineVersion, own: id === own },
  };
}

function byName(left: Node, right: Node): number {
  return left.name.localeCompare(right.name) || left.id.localeCompare(right.id);
}
