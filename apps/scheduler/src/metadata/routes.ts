import type { EnvironmentMetadata } from '@berth/contracts';

/** A path of the metadata endpoint: a way into the service beside those over HTTP and NATS, held to the same rule. */
export interface MetadataRoute {
  path: string;
  /** Why it performs no action. */
  publicReason: string;
  /** What it answers of the whole; null for the stream of it. */
  part: ((metadata: EnvironmentMetadata) => unknown) | null;
}

const publicReason =
  'told to instances of the environment alone, by the network that they ask in: what their containers know anyway, and no secret';

export const METADATA_ROUTES: readonly MetadataRoute[] = [
  { path: '/v1', publicReason, part: (metadata) => metadata },
  { path: '/v1/services', publicReason, part: ({ services }) => services },
  { path: '/v1/resources', publicReason, part: ({ resources }) => resources },
  { path: '/v1/variables', publicReason, part: ({ variables }) => variables },
  { path: '/v1/release', publicReason, part: ({ release }) => release },
  { path: '/v1/watch', publicReason, part: null },
];
