import type { InstanceStats, LogLine, Platform } from '@berth/contracts';
import type {
  CommandOutcome,
  ContainerEngine,
  EngineDrift,
  EngineExec,
  EngineService,
  EnvironmentRef,
  ExecRequest,
  Inspection,
  LivingInstance,
  LogRequest,
  OwnedObject,
  Rollout,
  RolloutControl,
  RolloutOutcome,
  ServiceCommand,
  StatsRequest,
} from '../container-engine.js';
import { callEngine, connectDocker, isNoSwarm } from './docker-client.js';
import { containerStarts } from './container-starts.js';
import { findDrift } from './drift.js';
import { Generations } from './generations.js';
import { prepareExec } from './exec.js';
import { inspectInstances, inspectRollout } from './container-facts.js';
import { listEngineServices } from './inspection.js';
import { haltService, livingInstances } from './living.js';
import { streamLogs } from './log-stream.js';
import { streamStats } from './stats-stream.js';
import { Removal } from './removal.js';
import { RolloutWatch } from './rollout-watch.js';
import { renewInstances, runCommand } from './run-command.js';
import type { Swarm } from './swarm.js';
import { SwarmNode } from './swarm-node.js';
import { SwarmObjects, type RegistryCredentials } from './swarm-objects.js';
import { SwarmSecrets } from './swarm-secrets.js';

export interface SwarmEngineOptions {
  dockerHost: string;
  installation: string;
  /** host:port of the registry-proxy as the engine sees it. */
  registry: string;
  credentials: RegistryCredentials | null;
  /** Where instances ask about their environment; left out where they can't. */
  metadataUrl?: string;
}

/** Docker Engine in Swarm mode. */
export class SwarmEngine implements ContainerEngine {
  private readonly node: SwarmNode;
  private readonly swarm: Swarm;

  constructor({ dockerHost, installation, registry, credentials, metadataUrl }: SwarmEngineOptions) {
    const docker = connectDocker(dockerHost);
    const objects = new SwarmObjects(docker, installation, credentials);
    this.node = new SwarmNode(docker, installation);
    const removal = new Removal(docker, objects);
    const secrets = new SwarmSecrets(docker, installation);
    this.swarm = { docker, objects, removal, secrets, registry, metadataUrl };
  }

  async prepare(): Promise<void> {
    await Promise.all([this.node.prepare(), callEngine(() => this.swarm.docker.ping())]);
  }

  platform(): Promise<Platform> {
    return this.node.platform();
  }

  rollOut(rollout: Rollout, control: RolloutControl): Promise<RolloutOutcome> {
    return this.inSwarm(() => new RolloutWatch(this.swarm, rollout, control).run());
  }

  removeOthers(rollout: Rollout, { untilGone = false } = {}): Promise<void> {
    return this.inSwarm(async () => {
      const wanted = await Generations.of(this.swarm, rollout);
      await this.swarm.removal.others(rollout.target, (swarmName) => wanted.has(swarmName), untilGone);
      await this.swarm.secrets.removeOthers(rollout.target, rollout.spec.secrets);
    });
  }

  remove(
    target: EnvironmentRef,
    { network, volumes }: { network: boolean; volumes: boolean },
  ): Promise<void> {
    return this.inSwarm(async () => {
      await this.swarm.removal.services(target);
      await this.swarm.secrets.removeOthers(target);
      if (volumes) await this.swarm.removal.volumes(target);
      if (network) await this.swarm.removal.network(this.swarm.objects.labelsOf(target));
    });
  }

  services(target: EnvironmentRef): Promise<EngineService[]> {
    return this.inSwarm(() => listEngineServices(this.swarm.objects, target));
  }

  inspect(rollout: Rollout, instances?: ReadonlySet<string>): Promise<Inspection> {
    return this.inSwarm(() =>
      instances ? inspectInstances(this.swarm, rollout, instances) : inspectRollout(this.swarm, rollout),
    );
  }

  living(target?: EnvironmentRef): Promise<LivingInstance[]> {
    return this.inSwarm(() => livingInstances(this.swarm, target));
  }

  starts(signal: AbortSignal): AsyncIterable<LivingInstance> {
    return containerStarts(this.swarm.docker, this.swarm.objects.installation, signal);
  }

  halt(target: EnvironmentRef, service: string): Promise<void> {
    return this.inSwarm(() => haltService(this.swarm.objects, target, service));
  }

  logs(target: EnvironmentRef, request: LogRequest): AsyncIterable<LogLine> {
    return streamLogs(this.swarm.docker, this.swarm.objects, target, request);
  }

  drift(rollouts: readonly Rollout[]): Promise<EngineDrift[][]> {
    return this.inSwarm(() => findDrift(this.swarm, rollouts));
  }

  command(target: EnvironmentRef, command: ServiceCommand): Promise<CommandOutcome> {
    return runCommand(this.swarm.docker, this.swarm.objects, target, command);
  }

  renew(
    target: EnvironmentRef,
    service: string,
    until: { deadline: Date; signal: AbortSignal },
  ): Promise<void> {
    return renewInstances(this.swarm.docker, this.swarm.objects, target, service, until);
  }

  removeVolume(target: EnvironmentRef, volume: string): Promise<void> {
    return this.swarm.removal.volume(target, volume);
  }

  async *stats(target: EnvironmentRef, request: StatsRequest): AsyncIterable<InstanceStats[]> {
    const node = await this.inSwarm(() => this.node.id());
    yield* streamStats(this.swarm, node, target, request);
  }

  exec(target: EnvironmentRef, request: ExecRequest): Promise<EngineExec> {
    return this.inSwarm(async () => {
      const [id, names] = await Promise.all([this.node.id(), this.node.names()]);
      return prepareExec(this.swarm, { id, names }, target, request);
    });
  }

  owned(): Promise<OwnedObject[]> {
    return this.inSwarm(() => this.swarm.removal.owned());
  }

  discard(object: OwnedObject): Promise<void> {
    return this.inSwarm(() => this.swarm.removal.discard(object));
  }

  /** Does it in a swarm; where there turns out to be none any more, the next call looks again. */
  private async inSwarm<T>(work: () => Promise<T>): Promise<T> {
    await this.node.prepare();
    try {
      return await work();
    } catch (error) {
      if (isNoSwarm(error)) this.node.forget();
      throw error;
    }
  }
}
