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

/** What each container of one service is to be made from. */
export const InstanceSpec = z.object({
  ...{ environment: z.string(), release: z.string(), service: z.string() },
  image: z.string().describe('As written'),
  registry: z.string(),
  repository: z.string().describe('With its registry'),
  tag: z.string().describe('`latest` where none is written; empty for one by digest'),
  digest: z.string(),
  user: z.string().describe('`root` where none is named'),
  readOnly: z.boolean(),
  capAdd: z.array(z.string()),
  publishedPorts: z.array(z.int()).describe('On the host; 0 is one that the engine picks'),
  hosts: z.array(z.string()),
  volumes: z.array(z.string()),
  secrets: z.array(z.string()).describe('Names of those that it is given'),
  uses: z.array(z.string()).describe('Names of the resources that it is given'),
  replicas: z.int(),
  cpuMillis: z.int().describe('Of one container'),
  memoryBytes: z.int().describe('Of one container'),
  pids: z.int().describe('Of one container'),
});

/** What the engine says of a container that came up; containers of which it says the same are judged together. */
export const InstanceAsRun = z.object({
  instances: z.int().describe('How many are like this'),
  digest: z.string().describe('Of the image; empty when the engine does not know'),
  unexpectedImage: z.boolean().describe('Whether that is not the one of the release'),
  user: z
    .string()
    .optional()
    .describe('Missing when the container is on another node and the image names it'),
  readOnly: z.boolean(),
  privileged: z.boolean(),
  capabilities: z.array(z.string()).describe('All that it has; `ALL` for all'),
  devices: z.array(z.string()).describe('Of the host'),
  hostNamespaces: z.array(z.string()).describe('`network`, `pid`, `ipc`: those that it shares with the host'),
  bindMounts: z.array(z.string()).describe('Sources on the host'),
  volumes: z.array(z.string()),
  networks: z.array(z.string()),
  foreignNetworks: z.array(z.string()).describe("Networks that are not the environment's own"),
  cpuMillis: z.int().describe('0 for no limit'),
  memoryBytes: z.int().describe('0 for no limit'),
  pids: z.int().describe('0 for no limit'),
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

/** An image as it is asked for. */
export const ImageNamed = z.object({
  registry: z.string(),
  repository: z.string(),
  reference: z.string().describe('As asked for: tag or digest; empty of an upload, whose digest comes last'),
  tag: z.string().optional().describe('Where it is asked for by its tag'),
  digest: z.string().optional().describe('Where it is asked for by its digest'),
});
/** An image as its manifest and its config say (OCI image spec, manifest.md and config.md). */
export const ImageFound = ImageNamed.extend({
  digest: z.string(),
  mediaType: z.string(),
  size: z
    .int()
    .describe('Bytes of config and layers, compressed; 0 of an index, whose images are asked about each'),
  platforms: z.array(z.string()).describe('`linux/amd64`: its own, or those that an index lists'),
  user: z
    .string()
    .optional()
    .describe(
      'Of the config; `root` where it names none, or says so by number. Missing of what is no container image, and of an index',
    ),
  labels: z.array(z.string()).describe('Of the config, each as `name=value`'),
  created: z.string().optional().describe('Of the config, RFC 3339'),
  ageDays: z.int().optional().describe('Whole days since then'),
});
export type ImageFound = z.input<typeof ImageFound>;
