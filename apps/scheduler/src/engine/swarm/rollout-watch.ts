import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '@berth/contracts';
import type { Rollout, RolloutControl, RolloutOutcome } from '../container-engine.js';
import { engineMessage } from './docker-client.js';
import type { SwarmService, Task } from './engine-api.js';
import { Generations } from './generations.js';
import { LABEL } from './labels.js';
import { lastWords } from './last-words.js';
import { toSwarmService } from './service-template.js';
import type { Swarm } from './swarm.js';
import type { EnvironmentState } from './swarm-objects.js';
import { isHomeless, isRunning, isStopped, judge, type Verdict } from './verdict.js';

const POLL_MS = 100;
const AWAY_POLL_MS = 500;
/** How long all must stay up before it counts: where a health check vouches for a service, hardly at all. */
const STABLE_MS = 1_000;
const STABLE_HEALTHY_MS = 200;
/** A busy engine tells late of a container's end: by so many times what it takes to answer. */
const LATENESS = 5;

/**
 * One rollout under way: brings up each service beside what ran before, when those it depends on are there, and watches
 * the tasks of all. What ran before is left alone, but for what stands in the way: the holder of a port of the host, or of
 * a volume that allows one writer, is stopped first.
 */
export class RolloutWatch {
  private readonly waiting: Set<string>;
  private readonly before = new Set<string>();
  private readonly homelessSince = new Map<string, number>();
  /** Tasks that have answered where requests come in. */
  private readonly reached = new Set<string>();
  private settledSince: number | null = null;
  /** The longest that the engine took to answer since all settled, in milliseconds. */
  private slowestAnswer = 0;
  private told = '';
  private started = false;
  private generations: Generations | null = null;

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
    const asked = performance.now();
    const [generations, found] = await Promise.all([
      this.generations ?? Generations.of(this.swarm, this.rollout),
      this.swarm.objects.state(this.rollout.target),
    ]);
    this.generations = generations;
    let state = found;
    this.slowestAnswer = Math.max(this.slowestAnswer, performance.now() - asked);
    if (!this.started)
      for (const task of state.tasks) if (isStopped(task) && !this.isOfThis(task)) this.before.add(task.ID);
    this.started = true;
    const ready: string[] = [];
    for (const name of this.waiting) {
      if (!this.dependenciesMet(name, state, generations)) continue;
      if (await this.makeWay(name, state, generations)) ready.push(name);
    }
    if (ready.length > 0) {
      await Promise.all(ready.map((name) => this.apply(name, state, generations)));
      state = await this.swarm.objects.state(this.rollout.target);
    }
    const verdicts = await this.verdicts(state, generations);
    const unsettled = [...verdicts].flatMap(([name, verdict]) =>
      verdict.state === 'waiting' ? [`${name}: ${verdict.message}`] : [],
    );
    const held = [...this.waiting].map((name) => `${name}: waits for ${this.awaited(name).join(', ')}`);
    const awaited = [...unsettled, ...held].join('; ');
    this.tell(awaited || 'all instances run; watching that they stay', awaited === '');
    return verdicts;
  }

  private async apply(
    name: string,
    { services }: EnvironmentState,
    { surroundings }: Generations,
  ): Promise<void> {
    const secrets = await this.swarm.secrets.hold(this.rollout, name);
    const wanted = toSwarmService(this.rollout, name, surroundings, secrets);
    const present = services.find(({ Spec: spec }) => spec.Name === wanted.Name);
    await this.swarm.objects.apply(wanted, present);
    this.waiting.delete(name);
  }

  private async verdicts(
    { services, tasks }: EnvironmentState,
    generations: Generations,
  ): Promise<Map<string, Verdict>> {
    const verdicts = new Map<string, Verdict>();
    for (const [name, swarmName] of generations.names) {
      if (this.waiting.has(name)) continue;
      const service = services.find((candidate) => candidate.Spec.Name === swarmName);
      if (!service) {
        verdicts.set(name, { state: 'failed', message: 'the service was removed from outside', task: null });
        continue;
      }
      const own = tasks.filter((task) => task.ServiceID === service.ID);
      const { deployment } = this.rollout;
      const homelessMs = this.homelessFor(service, own);
      const verdict = judge({ service, tasks: own, deployment, before: this.before, homelessMs });
      verdicts.set(name, verdict.state === 'settled' ? await this.whenReached(name, own, verdict) : verdict);
    }
    return verdicts;
  }

  /** Running is not yet answering: where requests come in, each instance is asked until it does. */
  private async whenReached(name: string, tasks: readonly Task[], settled: Verdict): Promise<Verdict> {
    const { http } = this.rollout.spec.services[name];
    const { reaches } = this.control;
    if (!http || !reaches || settled.state !== 'settled') return settled;
    const unasked = tasks.filter((task) => isRunning(task) && !this.reached.has(task.ID));
    await Promise.all(
      unasked.map(async (task) => {
        const address = addressOf(task, this.generations?.surroundings.networkId);
        const { port, protocol } = http;
        if (address && (await reaches({ service: name, address, port, protocol }))) this.reached.add(task.ID);
      }),
    );
    const missing = unasked.filter((task) => !this.reached.has(task.ID)).length;
    if (missing === 0) return settled;
    const message = `${missing} of ${settled.running} do not answer requests that come in, at port ${http.port}`;
    return { state: 'waiting', running: settled.running, message };
  }

  private homelessFor(service: SwarmService, tasks: readonly Task[]): number {
    const stopping = tasks.some((task) => !isStopped(task) && task.DesiredState !== 'running');
    if (!tasks.some(isHomeless) || stopping) {
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

  /** What a service that is not applied yet waits for, for a person. */
  private awaited(name: string): string[] {
    const dependencies = this.dependencies(name);
    return dependencies.length > 0 ? dependencies : ['what holds its volumes or ports to stop'];
  }

  private dependenciesMet(
    name: string,
    { services, tasks }: EnvironmentState,
    generations: Generations,
  ): boolean {
    return Object.entries(this.rollout.spec.services[name].dependsOn).every(([other, condition]) => {
      if (this.waiting.has(other)) return false;
      const swarmName = generations.names.get(other);
      const service = services.find((candidate) => candidate.Spec.Name === swarmName);
      if (!service) return false;
      const desired = service.Spec.Mode.Replicated.Replicas;
      const states = tasks.filter((task) => task.ServiceID === service.ID).map((task) => task.Status.State);
      // Swarm calls a task with a health check `running` once it is healthy, and `starting` until then.
      const fit = states.filter(
        (state) => state === 'running' || (condition === 'started' && state === 'starting'),
      );
      return condition === 'started' ? fit.length >= Math.min(1, desired) : fit.length >= desired;
    });
  }

  /** Stops what stands in the way of a service; answers whether nothing does any more. */
  private async makeWay(
    name: string,
    { services, tasks }: EnvironmentState,
    generations: Generations,
  ): Promise<boolean> {
    const inTheWay = services.filter(
      (service) => !generations.has(service.Spec.Name) && this.isInTheWay(service, name),
    );
    for (const service of inTheWay) {
      if (service.Spec.Mode.Replicated.Replicas > 0) await this.swarm.objects.scale(service, 0);
    }
    const ids = new Set(inTheWay.map((service) => service.ID));
    return !tasks.some((task) => ids.has(task.ServiceID) && !isStopped(task));
  }

  private isInTheWay({ Spec: spec }: SwarmService, name: string): boolean {
    const wanted = this.rollout.spec.services[name];
    if (spec.Labels[LABEL.service] === name && wanted.update.order === 'stop-first') return true;
    return (spec.EndpointSpec?.Ports ?? []).some(({ PublishedPort: port, Protocol: protocol }) =>
      wanted.ports.some(({ published, ...own }) => published === port && own.protocol === protocol),
    );
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
      this.slowestAnswer = 0;
      return false;
    }
    this.settledSince ??= performance.now();
    return performance.now() - this.settledSince >= this.stableMs();
  }

  private stableMs(): number {
    const vouched = Object.values(this.rollout.spec.services).every(
      ({ healthcheck }) => healthcheck?.test && healthcheck.test[0] !== 'NONE',
    );
    return (vouched ? STABLE_HEALTHY_MS : STABLE_MS) + LATENESS * this.slowestAnswer;
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
    const alive = tasks.find(
      (task) => this.isOfThis(task) && (task.Status.State === 'starting' || isRunning(task)),
    );
    const words = alive ? await lastWords(this.swarm.docker, alive) : [];
    const output = words.length > 0 ? ` The last output:\n${words.join('\n')}` : '';
    return `It did not come up in time. ${late.join('; ')}.${output}`;
  }
}

/** Of a task in a network, without the length of its prefix. */
function addressOf(task: Task, networkId: string | undefined): string | null {
  const attached = task.NetworksAttachments?.find(({ Network: network }) => network.ID === networkId);
  return attached?.Addresses?.[0]?.split('/')[0] ?? null;
}
