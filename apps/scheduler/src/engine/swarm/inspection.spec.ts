import type { Rollout } from '../container-engine.js';
import type { Task } from './engine-api.js';
import { containerElsewhere, factsOf } from './inspection.js';

const rollout = {
  spec: { services: { web: { pinned: { repository: 'docker.io/library/web', digest: 'sha256:aa' } } } },
} as unknown as Rollout;

const task = (container: object, limits = { MemoryBytes: 2 ** 25, Pids: 64 }): Task =>
  ({
    Spec: { ContainerSpec: { Image: 'registry/web@sha256:aa', ...container }, Resources: { Limits: limits } },
    NetworksAttachments: [{ Network: { ID: 'n1', Spec: { Name: 'own' } } }],
  }) as unknown as Task;

const facts = (...tasks: Task[]) => factsOf(tasks.map(containerElsewhere), 'own', rollout);

test('instances on other nodes are judged by what the swarm told those to make', () => {
  expect(facts(task({ CapabilityDrop: ['ALL'] }), task({ CapabilityDrop: ['ALL'], User: '1000' }))).toEqual({
    instances: 2,
    privileged: false,
    capabilities: [],
    bindMounts: [],
    networks: ['own'],
    foreignNetworks: [],
    unlimitedMemory: false,
    unlimitedPids: false,
    users: ['1000'],
    images: ['sha256:aa'],
    unexpectedImages: [],
  });
});

test('and by what was changed of that', () => {
  const changed = {
    ...{ Image: 'registry/web@sha256:bb', CapabilityDrop: ['ALL'], CapabilityAdd: ['CAP_NET_ADMIN'] },
    Mounts: [{ Type: 'bind', Source: '/etc' }],
  };
  expect(facts(task(changed, { MemoryBytes: 0, Pids: 0 }))).toMatchObject({
    capabilities: ['NET_ADMIN'],
    bindMounts: ['/etc'],
    unlimitedMemory: true,
    unlimitedPids: true,
    unexpectedImages: ['sha256:bb'],
  });
});
