import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { BerthError, type Platform } from '@berth/contracts';
import { callEngine, engineMessage, hasStatus } from './docker-client.js';
import { LABEL } from './labels.js';

const ADDRESS = '127.0.0.1';
const SETTLE_MS = 10_000;
const POLL_MS = 100;
const ARCHITECTURES: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm' };

interface Info {
  OSType: string;
  Architecture: string;
  Swarm?: { NodeID?: string; LocalNodeState?: string; ControlAvailable?: boolean };
}

interface Node {
  ID: string;
  Description: { Hostname: string };
}

/**
 * The engine as a node of a swarm. Where it is in none, a swarm of one node is made, and labelled with who made it; one
 * that is there already is used as it is, and never left or changed.
 */
export class SwarmNode {
  private ready: Promise<void> | null = null;
  private known: Platform | null = null;

  constructor(
    private readonly docker: Docker,
    private readonly installation: string,
  ) {}

  /** Resolves when the engine manages a swarm; asks the engine each time until it does. */
  async prepare(): Promise<void> {
    this.ready ??= this.join();
    try {
      await this.ready;
    } catch (error) {
      this.ready = null;
      throw error;
    }
  }

  /** The swarm may have gone since: look again next time. */
  forget(): void {
    this.ready = null;
  }

  async platform(): Promise<Platform> {
    if (this.known) return this.known;
    const info = await this.info();
    this.known = toPlatform(info.OSType, info.Architecture);
    return this.known;
  }

  /** The engine's own name in the swarm. */
  async id(): Promise<string | null> {
    return (await this.info()).Swarm?.NodeID ?? null;
  }

  /** Host names of all nodes of the swarm, by their ids. */
  async names(): Promise<ReadonlyMap<string, string>> {
    const nodes = await callEngine(() => this.docker.listNodes() as Promise<Node[]>);
    return new Map(nodes.map(({ ID: id, Description: about }) => [id, about.Hostname]));
  }

  private info(): Promise<Info> {
    return callEngine(() => this.docker.info() as Promise<Info>);
  }

  private async join(): Promise<void> {
    const swarm = await this.settled();
    if (swarm?.LocalNodeState === 'active') {
      if (swarm.ControlAvailable) return;
      throw new BerthError(
        'ENGINE_UNAVAILABLE',
        'The container engine is a worker of a swarm. Point DOCKER_HOST at one of its managers.',
      );
    }
    if (swarm?.LocalNodeState !== 'inactive') {
      throw new BerthError(
        'ENGINE_UNAVAILABLE',
        `The container engine's swarm is in state "${swarm?.LocalNodeState}": unlock or repair it.`,
      );
    }
    await this.init();
  }

  /** An engine is `pending` while it starts, and while another scheduler makes the swarm. */
  private async settled(): Promise<Info['Swarm']> {
    const until = Date.now() + SETTLE_MS;
    for (;;) {
      const { Swarm: swarm } = await this.info();
      if (swarm?.LocalNodeState !== 'pending' || Date.now() >= until) return swarm;
      await delay(POLL_MS);
    }
  }

  private async init(): Promise<void> {
    try {
      await callEngine(() =>
        this.docker.swarmInit({
          ListenAddr: `${ADDRESS}:2377`,
          AdvertiseAddr: ADDRESS,
          Spec: { Name: 'default', Labels: { [LABEL.installation]: this.installation } },
        }),
      );
    } catch (error) {
      // Another scheduler was faster: the engine is in a swarm, or about to be.
      if (!hasStatus(error, 503) && !/already part of a swarm/i.test(engineMessage(error))) throw error;
      await this.settled();
    }
  }
}

/** In the words of the OCI image specification (those of Go). */
export function toPlatform(os: string, architecture: string): Platform {
  return { os, architecture: ARCHITECTURES[architecture] ?? architecture };
}
