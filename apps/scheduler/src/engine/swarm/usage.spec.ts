import { type ContainerStats, usageBetween } from './usage.js';

const stats = (second: number, cpu: number, received: number, sent: number): ContainerStats => ({
  read: `2026-05-01T10:00:0${second}.000000000Z`,
  cpu_stats: { cpu_usage: { total_usage: cpu } },
  memory_stats: { usage: 5_000, stats: { inactive_file: 1_000 } },
  networks: { eth0: { rx_bytes: received, tx_bytes: 0 }, eth1: { rx_bytes: 0, tx_bytes: sent } },
});
const limits = { cpu: 0.5, memory: 10_000 };

test('usage is what came between two looks, by the second', () => {
  expect(usageBetween(stats(1, 1e9, 100, 10), stats(3, 1.5e9, 300, 30), limits)).toEqual({
    ...{ cpu: 0.25, cpuLimit: 0.5, memory: 4_000, memoryLimit: 10_000 },
    ...{ received: 300, sent: 30, receivedPerSecond: 100, sentPerSecond: 10 },
  });
});

test('there is none where no time has passed, and none is below nothing', () => {
  expect(usageBetween(stats(1, 1e9, 0, 0), stats(1, 2e9, 0, 0), limits)).toBeNull();
  expect(usageBetween(stats(1, 2e9, 9, 9), stats(2, 1e9, 0, 0), limits)).toMatchObject({
    ...{ cpu: 0, receivedPerSecond: 0, sentPerSecond: 0 },
  });
});

test('a container without a network, under either version of cgroups', () => {
  const bare = { ...stats(2, 0, 0, 0), networks: undefined };
  expect(usageBetween(stats(1, 0, 0, 0), bare, limits)).toMatchObject({ received: 0, memory: 4_000 });
  const old = { ...bare, memory_stats: { usage: 5_000, stats: { total_inactive_file: 2_000 } } };
  expect(usageBetween(stats(1, 0, 0, 0), old, limits)).toMatchObject({ memory: 3_000 });
});
