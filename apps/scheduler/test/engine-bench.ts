import { createHash, randomUUID } from 'node:crypto';
import type {
  EngineService,
  EnvironmentRef,
  Rollout,
  RolloutOutcome,
} from '../src/engine/container-engine.js';
import { SwarmEngine } from '../src/engine/swarm/swarm-engine.js';
import { canonicalJson, pinImages, readCompose } from '../src/compose/index.js';
import {
  buildTestImage,
  removeWorkloads,
  testEngine,
  testInstallation,
  upstreamRegistry,
  type TestImage,
} from '@berth/testing';

/** A web server that answers with `/www/index.html`, as `library/<name>` in the run's upstream registry. */
export function webImage(name: string, content: string): Promise<TestImage> {
  return buildTestImage({
    name,
    files: { '/www/index.html': { content } },
    cmd: ['/bin/httpd', '-f', '-v', '-p', '8080', '-h', '/www'],
    ports: ['8080/tcp'],
  });
}

/** Runs a shell script, and nothing else. */
export function scriptImage(name: string, script: string): Promise<TestImage> {
  return buildTestImage({ name, cmd: ['/bin/sh', '-c', script] });
}

/** The engine adapter against the real engine, under a label of its own. */
export interface EngineBench {
  engine: SwarmEngine;
  installation: string;
  dockerHost: string;
  /** A rollout of a Compose file whose images are named as in `images`. */
  rollout(compose: string, images: Record<string, TestImage>, target?: EnvironmentRef): Rollout;
  run(rollout: Rollout, options?: { seconds?: number; signal?: AbortSignal }): Promise<RunResult>;
  /** Removes all that was made under the label. */
  clean(): Promise<void>;
}

export interface RunResult {
  outcome: RolloutOutcome;
  progress: string[];
  milliseconds: number;
}

export const shopDev: EnvironmentRef = { project: 'shop', environment: 'dev' };

export async function engineBench(): Promise<EngineBench> {
  const dockerHost = await testEngine();
  const { address: registry } = await upstreamRegistry();
  const installation = testInstallation();
  const engine = new SwarmEngine({ dockerHost, installation, registry, credentials: null });
  return {
    engine,
    installation,
    dockerHost,
    rollout(compose, images, target = shopDev) {
      const { spec } = readCompose(compose, {});
      const pinned = Object.entries(spec.services).map(([name, { image }]) => {
        const { repository, digest } = images[image];
        return [name, { repository, digest }] as const;
      });
      const release = pinImages(spec, new Map(pinned));
      const secret = (name: string): Promise<never> => Promise.reject(new Error(`no secret ${name}`));
      return {
        target,
        deployment: randomUUID(),
        release: `sha256:${createHash('sha256').update(canonicalJson(release)).digest('hex')}`,
        spec: release,
        secret,
      };
    },
    async run(rollout, { seconds = 40, signal = new AbortController().signal } = {}) {
      const progress: string[] = [];
      const start = performance.now();
      const outcome = await engine.rollOut(rollout, {
        deadline: new Date(Date.now() + seconds * 1_000),
        signal,
        progress: ({ message }) => progress.push(`${Math.round(performance.now() - start)} ms ${message}`),
      });
      return { outcome, progress, milliseconds: performance.now() - start };
    },
    clean: () => removeWorkloads(dockerHost, installation),
  };
}

/** Where the only instance of a service answers from this machine. */
export function addressOf(services: EngineService[], name: string): string {
  const service = services.find((candidate) => candidate.name === name);
  const running = service?.instances.find((instance) => instance.state === 'running');
  const port = running?.ports[0]?.published;
  if (port === undefined) throw new Error(`${name} has no published port: ${JSON.stringify(service)}`);
  return `http://127.0.0.1:${port}/`;
}

export async function textAt(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return (await response.text()).trim();
}
