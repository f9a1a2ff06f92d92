import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { actions } from '@berth/contracts';

export interface ImageBuild {
  /** A tar archive. */
  context: Readable;
  /** The name of the Dockerfile in it. */
  dockerfile: string;
  target?: string;
  arguments: Readonly<Record<string, string>>;
  cache: boolean;
  limits: { cpuMillis: number; memoryBytes: number };
}

/** What the `after` hook of `image.build` judges. */
export type BuiltFacts = z.input<typeof actions.imageBuild.outcome>;

export interface EngineImage {
  /** In the engine: the digest of its config. */
  id: string;
  facts: BuiltFacts;
}

export interface ImageProgress {
  /** Called with each line; reads on when it resolves. */
  log(line: string): Promise<void>;
  signal: AbortSignal;
}

/** Builds images on this node's engine. Throws ENGINE_UNAVAILABLE when it does not answer. */
export interface ImageBuilder {
  /** Whether what runs in a build reaches the outside. */
  readonly network: boolean;
  /** Throws BUILD_FAILED. The signal ends it, and leaves nothing. */
  build(build: ImageBuild, progress: ImageProgress): Promise<EngineImage>;
  /** Into the registry, with this token. Answers the digest there. Throws BUILD_FAILED with what the registry says. */
  push(
    image: EngineImage,
    target: { repository: string; tag: string; token: string },
    progress: ImageProgress,
  ): Promise<string>;
  /** Of an image that is not to be; what other images have of it stays. */
  discard(image: EngineImage): Promise<void>;
}

/** Nest's injection token. */
export const IMAGE_BUILDER = Symbol('IMAGE_BUILDER');
