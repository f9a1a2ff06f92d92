import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { CloudEvent, Deployment, isFinished, schedulerRpc } from '@berth/contracts';
import { NATS_CONNECTION, RpcClient } from '@berth/messaging';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SseStream } from '../streams/sse-stream.js';
import { fail, inThisRequest, Streams } from '../streams/streams.js';

/** Without news for this long, the deployment is read again: the bus may have lost some while it was away. */
const QUIET_MS = 20_000;

type Listener = (deployment: Deployment) => void;

/** Hands what is told of deployments on to those who follow them, over one subscription for all. */
@Injectable()
export class DeploymentFeed implements OnModuleInit, OnModuleDestroy {
  private readonly listeners = new Map<string, Set<Listener>>();
  private subscription: Subscription | null = null;

  constructor(
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly streams: Streams,
  ) {}

  onModuleInit(): void {
    this.subscription = this.connection.subscribe('berth.events.*.*.*.deployment.>', {
      callback: (_error, message) => this.take(message.data),
    });
  }

  onModuleDestroy(): void {
    this.subscription?.unsubscribe();
  }

  /** Answers with a stream of the deployment's states; with a problem instead to whoever may not see it. */
  async follow(id: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // News that come while the snapshot is read are kept: nothing falls between the two.
    const early: Deployment[] = [];
    let show: Listener = (deployment) => early.push(deployment);
    const forget = this.listen(id, (deployment) => show(deployment));
    let snapshot: Deployment;
    try {
      snapshot = await this.rpc.call(schedulerRpc.getDeployment, { id });
    } catch (error) {
      forget();
      throw error;
    }
    const close = { then: forget };
    const stream = this.streams.start(request, reply, { keep: 'latest' }, () => close.then());
    const shown = new Progress(stream);
    const quiet = setTimeout(
      inThisRequest(() => void this.readAgain(id, stream, show).finally(() => quiet.refresh())),
      QUIET_MS,
    );
    close.then = () => {
      clearTimeout(quiet);
      forget();
    };
    show = (deployment) => {
      quiet.refresh();
      shown.show(deployment);
    };
    for (const deployment of [snapshot, ...early]) show(deployment);
  }

  private async readAgain(id: string, stream: SseStream, show: Listener): Promise<void> {
    if (stream.destroyed) return;
    try {
      show(await this.rpc.call(schedulerRpc.getDeployment, { id }));
    } catch (error) {
      fail(stream, error);
    }
  }

  private listen(id: string, listener: Listener): () => void {
    const listeners = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(id) === listeners) this.listeners.delete(id);
    };
  }

  private take(data: Uint8Array): void {
    if (this.listeners.size === 0) return;
    const event = parseJson(data);
    const parsed = CloudEvent.safeParse(event);
    const deployment = parsed.success ? Deployment.safeParse(parsed.data.data) : null;
    if (!deployment?.success) return;
    for (const listener of this.listeners.get(deployment.data.id) ?? []) listener(deployment.data);
  }
}

/** Shows a deployment's states in the order in which it goes through them, whatever order they are told in. */
class Progress {
  private furthest = -1;

  constructor(private readonly stream: SseStream) {}

  show(deployment: Deployment): void {
    const reached = progressOf(deployment);
    if (reached < this.furthest) return;
    this.furthest = reached;
    this.stream.send({ event: 'deployment', data: deployment });
    if (isFinished(deployment.status)) this.stream.finish();
  }
}

function progressOf({ status, steps }: Deployment): number {
  if (isFinished(status)) return Number.MAX_SAFE_INTEGER;
  const weights = { pending: 0, running: 1, succeeded: 2, failed: 2, skipped: 2 } as const;
  return steps.reduce((sum, step) => sum + weights[step.status], status === 'pending' ? 0 : 1);
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'));
  } catch {
    return undefined;
  }
}
