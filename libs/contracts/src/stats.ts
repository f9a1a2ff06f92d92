import { z } from 'zod';
import { EnvironmentLogOptions } from './instances.js';
import { Name } from './names.js';

export const Usage = z.object({
  cpu: z.number().describe('Cores in use, on average since the last look'),
  cpuLimit: z.number().nullable(),
  memory: z.int().describe('Bytes, without the cache of files that can be dropped'),
  memoryLimit: z.int().nullable(),
  received: z.int().describe('Bytes over all its networks since it started'),
  sent: z.int(),
  receivedPerSecond: z.number().describe('On average since the last look'),
  sentPerSecond: z.number(),
});
export type Usage = z.infer<typeof Usage>;

export const InstanceStats = z
  .object({
    service: Name,
    instance: z.string(),
    usage: Usage.nullable().describe('Null where its engine cannot be asked: on another node'),
  })
  .meta({ id: 'InstanceStats' });
export type InstanceStats = z.infer<typeof InstanceStats>;

export const StatsOptions = EnvironmentLogOptions.pick({ follow: true, service: true });
