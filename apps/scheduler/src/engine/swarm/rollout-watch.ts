import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '@berth/contracts';
import type { RunSpec } from '../../compose/index.js';
import type { Rollout, RolloutControl, RolloutOutcome } from '../container-engine.js';
import { engineMessage } from './docker-client.js';
import type { SwarmService, Task } from './engine-api.js';
import { LABEL } from './labels.js';
import { lastWords } from './last-words.js';
import { toSwarmService } from './service-template.js';
import type { Swarm } from './swarm.js';
import type { EnvironmentState } from './swarm-objects.js';
import { isHomeless, isOwn, isStopped, judge, type Verdict } from './verdict.js';

const POLL_MS = 100;
const AWAY_POLL_MS = 500;
/** How long all must stay up before it counts: where a health check vouches for a service, hardly at all. */
const STABLE_MS = 1_000;
const STABLE_HEALTHY_MS = 200;

/** One rollout under way: applies each service when those it depends on are there, and watches the tasks of all. */
export class RolloutWatch {
  private readonly waiting: Set<string>;
  private readonly before = new Set<string>();
  private readonly homelessSince = new Map<string, number>();
  private settledSince: number | null = null;
  private told = '';
  private started = false;

  constructor(
    private readonly swarm: Swarm,
    private readonly rollout: Rollout,
    private readonly control: RolloutControl,
  ) {
    this.waiting = new Set(Object.keys(rollout.spec.services).sort());
  }

  /** Runs to the end: all settled, one failed, or the deadline. Throws when `control.signal` is aborted. */
  async run(): Promise<RolloutOutcome> {
    let verdicts = new Map<string, Verdict>();
    let away: BerthError | null = null;
    while (Date.now() < this.control.deadline.getTime()) {
      this.control.signal.throwIfAborted();
      try {
        verdicts = await this.round();
        away = null;
      } catch (error) {
        if (!(error instanceof BerthError) || error.code !== 'ENGINE_UNAVAILABLE') {
          if (error instanceof BerthError || this.control.signal.aborted) throw error;
          return { state: 'failed', reason: `The engine refuses: ${engineMessage(error)}` };
        }
        // It may be restarting: what runs is none the worse for it.
        away = error;
        this.tell('the container engine does not answer; trying again');
      }
      const failed = [...verdicts].find(([, verdict]) => verdict.state === 'failed');
      if (failed) return { state: 'failed', reason: await this.reasonOf(...failed) };
      if (!away && this.isStable(verdicts)) return { state: 'running' };
      await delay(away ? AWAY_POLL_MS : POLL_MS, undefined, { signal: this.control.signal });
    }
    return { state: 'failed', reason: away?.message ?? (await this.lateReason(verdicts)) };
  }

  private async round(): Promise<Map<string, Verdict>> {
    let state = await this.swarm.objects.state(this.rollout.target);
    if (!this.started) {
      for (const task of state.tasks) if (isStopped(task) && !this.isOfThis(task)) this.before.add(task.ID);
      await this.freePorts(state);
      this.started = true;
    }
    const ready = [...this.waiting].filter((name) => this.dependenciesMet(name, state));
    if (ready.length > 0) {
      const networkId = await this.swarm.objects.ensureNetwork(this.rollout.target);
      const surroundings = {
        installation: this.swarm.objects.installation,
        registry: this.swarm.registry,
        networkId,
      };
      await Promise.all(
        ready.map(async (name) => {
          await this.swarm.objects.apply(toSwarmService(this.rollout, name, surroundings));
          this.waiting.delete(name);
        }),
      );
      state = await this.swarm.objects.state(this.rollout.target);
    }
    const verdicts = this.verdicts(state);
    const unsettled = [...verdicts].flatMap(([name, verdict]) =>
      verdict.state === 'waiting' ? [`${name}: ${verdict.message}`] : [],
    );
    const held = [...this.waiting].map((name) => `${name}: waits for ${this.dependencies(name).join(', ')}`);
    const awaited = [...unsettled, ...held].join('; ');
    this.tell(awaited || 'all instances run; watching that they stay', awaited === '');
    return verdicts;
  }

  private verdicts({ services, tasks }: EnvironmentState): Map<string, Verdict> {
    const verdicts = new Map<string, Verdict>();
    for (const service of services) {
      const name = service.Spec.Labels[LABEL.service];
      if (!Object.hasOwn(this.rollout.spec.services, name) || this.waiting.has(name)) continue;
      const own = tasks.filter((task) => task.ServiceID === service.ID);
      const { deployment } = this.rollout;
      const homelessMs = this.homelessFor(service, own);
      verdicts.set(name, judge({ service, tasks: own, deployment, before: this.before, homelessMs }));
    }
    for (const name of Object.keys(this.rollout.spec.services)) {
      if (this.waiting.has(name) || verdicts.has(name)) continue;
      verdicts.set(name, { state: 'failed', message: 'the service was removed from outside', task: null });
    }
    return verdicts;
  }

  private homelessFor(service: SwarmService, tasks: readonly Task[]): number {
    const homeless = tasks.some((task) => isOwn(task, service) && isHomeless(task));
    const stopping = tasks.some((task) => !isStopped(task) && task.DesiredState !== 'running');
    if (!homeless || stopping) {
      this.homelessSince.delete(service.ID);
      return 0;
    }
    const since = this.homelessSince.get(service.ID) ?? Date.now();
    this.homelessSince.set(service.ID, since);
    return Date.now() - since;
  }

  private dependencies(name: string): string[] {
    return Object.keys(this.rollout.spec.services[name].dependsOn);
  }

  private dependenciesMet(name: string, { services, tasks }: EnvironmentState): boolean {
    return Object.entries(this.rollout.spec.services[name].dependsOn).every(([other, condition]) => {
      if (this.waiting.has(other)) return false;
      const service = services.find((candidate) => candidate.Spec.Labels[LABEL.service] === other);
      if (!service) return false;
      const desired = service.Spec.Mode.Replicated.Replicas;
      const states = tasks
        .filter((task) => task.ServiceID === service.ID && isOwn(task, service))
        .map((task) => task.Status.State);
      // Swarm calls a task with a health check `running` once it is healthy, and `starting` until then.
      const fit = states.filter(
        (state) => state === 'running' || (condition === 'started' && state === 'starting'),
      );
      return condition === 'started' ? fit.length >= Math.min(1, desired) : fit.length >= desired;
    });
  }

  /**
   * A port of the host that moves to another service must be free first: a service that goes is removed before, one that
   * stays is applied before its dependencies.
   */
  private async freePorts({ services }: EnvironmentState): Promise<void> {
    const wanted = fixedPorts(this.rollout.spec);
    const inTheWay = services.filter((service) => {
      const name = service.Spec.Labels[LABEL.service];
      return (service.Spec.EndpointSpec?.Ports ?? []).some(({ PublishedPort: port, Protocol: protocol }) => {
        const taker = wanted.get(`${port}/${protocol}`);
        return taker !== undefined && taker !== name;
      });
    });
    const gone = inTheWay.filter(
      (service) => !Object.hasOwn(this.rollout.spec.services, service.Spec.Labels[LABEL.service]),
    );
    if (gone.length > 0) {
      this.tell(
        `waiting for the ports of ${gone.map((service) => service.Spec.Labels[LABEL.service]).join(', ')}`,
      );
      await this.swarm.removal.these(this.rollout.target, gone);
    }
    if (gone.length === inTheWay.length) return;
    const networkId = await this.swarm.objects.ensureNetwork(this.rollout.target);
    const surroundings = {
      installation: this.swarm.objects.installation,
      registry: this.swarm.registry,
      networkId,
    };
    for (const service of inTheWay.filter((candidate) => !gone.includes(candidate))) {
      const name = service.Spec.Labels[LABEL.service];
      await this.swarm.objects.apply(toSwarmService(this.rollout, name, surroundings));
      this.waiting.delete(name);
    }
  }

  private isOfThis(task: Task): boolean {
    const labels = task.Spec.ContainerSpec.Labels ?? {};
    return (
      labels[LABEL.deployment] === this.rollout.deployment && labels[LABEL.release] === this.rollout.release
    );
  }

  private isStable(verdicts: Map<string, Verdict>): boolean {
    const settled =
      this.waiting.size === 0 && [...verdicts.values()].every((verdict) => verdict.state === 'settled');
    if (!settled) {
      this.settledSince = null;
      return false;
    }
    this.settledSince ??= performance.now();
    return performance.now() - this.settledSince >= this.stableMs();
  }

  private stableMs(): number {
    const vouched = Object.values(this.rollout.spec.services).every(
      ({ healthcheck }) => healthcheck?.test && healthcheck.test[0] !== 'NONE',
    );
    return vouched ? STABLE_HEALTHY_MS : STABLE_MS;
  }

  private tell(message: string, settled = false): void {
    if (message === this.told) return;
    this.told = message;
    this.control.progress({ message, settled });
  }

  private async reasonOf(name: string, verdict: Verdict): Promise<string> {
    if (verdict.state !== 'failed') return name;
    const words = verdict.task ? await lastWords(this.swarm.docker, verdict.task) : [];
    const output = words.length > 0 ? ` Its last output:\n${words.join('\n')}` : '';
    return `Service "${name}": ${verdict.message}.${output}`;
  }

  private async lateReason(verdicts: Map<string, Verdict>): Promise<string> {
    const late = [...verdicts].flatMap(([name, verdict]) =>
      verdict.state === 'waiting' ? [`"${name}": ${verdict.message}`] : [],
    );
    const { tasks } = await this.swarm.objects
      .state(this.rollout.target)
      .catch(() => ({ tasks: [] as Task[] }));
    const alive = tasks.find((task) => this.isOfThis(task) && task.Status.State === 'starting');
    const words = alive ? await lastWords(this.swarm.docker, alive) : [];
    const output = words.length > 0 ? ` The last output:\n${words.join('\n')}` : '';
    return `It did not come up in time. ${late.join('; ')}.${output}`;
  }
}

/** Fixed ports of the host, as `80/tcp`, with the service that wants each. */
function fixedPorts(spec: RunSpec): Map<string, string> {
  return new Map(
    Object.entries(spec.services).flatMap(([name, { ports }]) =>
      ports.flatMap(({ published, protocol }) =>
        published === null ? [] : [[`${published}/${protocol}`, name] as const],
      ),
    ),
  );
}
