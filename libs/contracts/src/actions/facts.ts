import { z } from 'zod';

/** Shapes of facts that several actions share. Integers, as Cedar has no floats: cpu in thousandths of a core. */
export const nothing = z.object({});

/** What all services of a deployment come to: Cedar has no `any` and `all` over lists, so the extremes stand beside them. */
export const DeploymentFacts = z.object({
  environment: z.string(),
  release: z.string(),
  services: z.array(z.string()),
  images: z.array(z.string()),
  registries: z.array(z.string()),
  tags: z.array(z.string()),
  users: z.array(z.string()).describe('The users the containers run as; `root` where none is named'),
  capAdd: z.array(z.string()),
  publishedPorts: z.array(z.int()),
  minPublishedPort: z.int().meta({ description: '65536 when no fixed port is published', neutral: 65_536 }),
  hosts: z.array(z.string()).describe('Host names of their own that services answer at'),
  volumes: z.array(z.string()),
  allReadOnly: z.boolean(),
  instances: z.int(),
  cpuMillis: z.int().describe('Of all instances together'),
  memoryBytes: z.int().describe('Of all instances together'),
  maxMemoryBytes: z.int().describe('The largest limit of one instance'),
});

/** What the engine says of the containers that came up. */
export const InstanceFacts = z.object({
  instances: z.int(),
  privileged: z.boolean().describe('Whether any of them is'),
  capabilities: z.array(z.string()).describe('All that any of them has beyond the dropped ones'),
  bindMounts: z.array(z.string()).describe('Sources on the host that any of them mounts'),
  networks: z.array(z.string()),
  foreignNetworks: z.array(z.string()).describe("Networks that are not the environment's own"),
  unlimitedMemory: z.boolean().describe('Whether any of them has no limit'),
  unlimitedPids: z.boolean(),
  users: z.array(z.string()),
  images: z.array(z.string()).describe('Digests that run'),
  unexpectedImages: z.array(z.string()).describe('Digests that run and are not of the release'),
});
