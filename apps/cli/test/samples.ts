import type { Deployment, DeploymentStep, Service, StepName } from '@berth/contracts';

export const ID = '0190c5a2-7b1e-7c3a-9c1e-0123456789ab';
export const RELEASE = `sha256:${'ab'.repeat(32)}`;
export const TIME = '2026-05-01T10:00:00.000Z';
const LATER = '2026-05-01T10:00:01.500Z';

const STEPS: readonly StepName[] = ['resolving', 'policy', 'quota', 'rolling-out', 'healthy'];

/** Steps of which the first `ended` succeeded and the next one has `next` as its status. */
export function steps(ended: number, next: DeploymentStep['status'] = 'running'): DeploymentStep[] {
  return STEPS.map((name, index) => ({
    name,
    status: index < ended ? 'succeeded' : index === ended ? next : 'pending',
    message: null,
    startedAt: index <= ended ? TIME : null,
    finishedAt: index < ended || (index === ended && next === 'failed') ? LATER : null,
  }));
}

export function deployment(change: Partial<Deployment> = {}): Deployment {
  return {
    id: ID,
    team: 'acme',
    project: 'shop',
    environment: 'dev',
    cause: 'deploy',
    configuration: 1,
    release: RELEASE,
    status: 'running',
    reason: null,
    steps: steps(3),
    createdBy: 'mira',
    createdAt: TIME,
    finishedAt: null,
    ...change,
  };
}

export const succeeded = deployment({ status: 'succeeded', steps: steps(5), finishedAt: LATER });

export function service(name: string, url: string | null): Service {
  return {
    name,
    image: `acme/${name}:1`,
    release: RELEASE,
    replicas: { running: 1, desired: 1 },
    url: null,
    hosts: [],
    ports: [{ target: 80, published: 8080, protocol: 'tcp', url }],
    instances: [
      {
        id: 'abcdef0123456789',
        state: 'running',
        healthy: true,
        release: RELEASE,
        startedAt: TIME,
        message: null,
      },
    ],
  };
}

export const principal = {
  user: 'mira',
  kind: 'user',
  admin: false,
  teams: [{ team: 'acme', role: 'maintainer' }],
  tokenId: ID,
  scopes: ['*'],
  expiresAt: null,
};
