import { z } from 'zod';
import { exactly } from '../names/exact-keys.js';
import type { ResolvedImage } from '@berth/contracts';
import type { Platform } from './platforms.js';

/** Bytes. Configs of real images have some kilobytes. */
export const CONFIG_LIMIT = 8 * 1024 * 1024;

// OCI image spec, config.md. Engines write null for what is absent.
const texts = z.array(z.string()).nullish();
const names = z.record(z.string(), z.unknown()).nullish();
const Config = exactly(
  z.object({
    os: z.string().min(1),
    architecture: z.string().min(1),
    variant: z.string().nullish(),
    created: z.string().nullish(),
    config: exactly(
      z.object({
        User: z.string().nullish(),
        Entrypoint: texts,
        Cmd: texts,
        ExposedPorts: names,
        Volumes: names,
        Labels: z.record(z.string(), z.string()).nullish(),
        OnBuild: texts,
        Healthcheck: z.object({ Test: texts }).nullish(),
      }),
    ).nullish(),
  }),
);

export interface ImageFacts {
  platform: Platform;
  config: ResolvedImage['config'];
}

/** The facts of an image's config that policy and scheduler go by; null when it is not the config of an image. */
export function readImageConfig(bytes: Buffer): ImageFacts | null {
  const parsed = Config.safeParse(parseJson(bytes));
  if (!parsed.success) return null;
  const { os, architecture, variant, created, config } = parsed.data;
  const test = config?.Healthcheck?.Test ?? [];
  return {
    platform: { os, architecture, ...(variant ? { variant } : {}) },
    config: {
      user: config?.User ?? '',
      entrypoint: config?.Entrypoint ?? [],
      command: config?.Cmd ?? [],
      exposedPorts: Object.keys(config?.ExposedPorts ?? {}),
      volumes: Object.keys(config?.Volumes ?? {}),
      labels: config?.Labels ?? {},
      hasHealthcheck: test.length > 0 && test[0] !== 'NONE',
      ...(config?.OnBuild?.length ? { onBuild: config.OnBuild } : {}),
      createdAt: created ?? null,
    },
  };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}
