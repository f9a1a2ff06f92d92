import type { Rollout } from '../container-engine.js';
import type { Task } from './engine-api.js';
import { containerElsewhere, inspectionOf } from './container-facts.js';

const rollout = {
  spec: { services: { web: { pinned: { repository: 'docker.io/library/web', digest: 'sha256:aa' } } } },
} as unknown as Rollout;

const task = (container: object, limits = { MemoryBytes: 2 ** 25, Pids: 64 }): Task =>
  ({
    Spec: { ContainerSpec: { Image: 'registry/web@sha256:aa', ...container }, Resources: { Limits: limits } },
    NetworksAttachments: [{ Network: { ID: 'n1', Spec: { Name: 'own' } } }],
  }) as unknown as Task;

const inspect = (...tasks: Task[]) =>
  inspectionOf(
    tasks.map((each) => ({ id: 't1', service: 'web', container: containerElsewhere(each) })),
    'own',
    rollout,
  );
const facts = (...tasks: Task[]) => inspect(...tasks).all;

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

test('instances that are alike are one kind of their service, and the others are kinds of their own', () => {
  const plain = { CapabilityDrop: ['ALL'], User: '1000', ReadOnly: true };
  const mounts = [
    { Type: 'bind', Source: '/etc' },
    { Type: 'volume', Source: 'data' },
  ];
  const { instances } = inspect(
    task(plain),
    task(plain),
    task({ ...plain, User: undefined, Mounts: mounts }),
  );
  const usual = {
    ...{ digest: 'sha256:aa', unexpectedImage: false, readOnly: true, privileged: false },
    ...{ capabilities: [], devices: [], hostNamespaces: [], bindMounts: [], volumes: [] },
    ...{ networks: ['own'], foreignNetworks: [], cpuMillis: 0, memoryBytes: 2 ** 25, pids: 64 },
  };
  expect(instances).toEqual([
    { service: 'web', facts: { ...usual, instances: 2, user: '1000' } },
    {
      service: 'web',
      facts: { ...usual, instances: 1, user: undefined, bindMounts: ['/etc'], volumes: ['data'] },
    },
  ]);
});

test('what a container shares with the host is told', () => {
  const container = {
    Config: { Image: 'registry/web@sha256:aa', User: '0:1000' },
    HostConfig: {
      NetworkMode: 'host',
      PidMode: 'host',
      Devices: [{ PathOnHost: '/dev/kvm' }],
      Privileged: true,
      NanoCpus: 5e8,
    },
    NetworkSettings: { Networks: { host: {} } },
  };
  expect(
    inspectionOf([{ id: 't1', service: 'web', container }], 'own', rollout).instances[0].facts,
  ).toMatchObject({
    ...{ hostNamespaces: ['network', 'pid'], devices: ['/dev/kvm'], capabilities: ['ALL'], user: 'root' },
    ...{ foreignNetworks: ['host'], cpuMillis: 500, memoryBytes: 0, pids: 0 },
  });
});
