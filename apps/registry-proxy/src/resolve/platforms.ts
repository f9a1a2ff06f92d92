import type { IndexEntry } from '../pull/manifest-content.js';

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

// Engines name their machine as the kernel does; images are named as Go does (OCI image spec, image-index.md, "platform").
const GO_NAMES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  i386: '386',
  i686: '386',
};
const KERNEL_VARIANTS: Readonly<Record<string, string>> = { armv7l: 'v7', armv6l: 'v6' };

/** The same platform in the words of images; arm64 is v8 whether said or not. */
export function normalisePlatform({ os, architecture, variant }: Platform): Platform {
  const name = GO_NAMES[architecture] ?? architecture;
  const told = variant || KERNEL_VARIANTS[architecture];
  return {
    os: os.toLowerCase(),
    architecture: name,
    ...(told && !(name === 'arm64' && told === 'v8') ? { variant: told } : {}),
  };
}

/** Whether an image for `built` runs on `wanted`; a variant that one of them leaves open fits. */
export function runsOn(built: Platform, wanted: Platform): boolean {
  const a = normalisePlatform(built);
  const b = normalisePlatform(wanted);
  if (a.os !== b.os || a.architecture !== b.architecture) return false;
  return a.variant === undefined || b.variant === undefined || a.variant === b.variant;
}

/** The entry of an index that an engine of this platform would launch: of the right variant before one that names none. */
export function chooseEntry(entries: readonly IndexEntry[], wanted: Platform): IndexEntry | null {
  const fitting = entries.filter(({ platform }) => platform !== null && runsOn(platform, wanted));
  const variant = normalisePlatform(wanted).variant;
  const exact = fitting.find(
    ({ platform }) => platform !== null && normalisePlatform(platform).variant === variant,
  );
  return exact ?? fitting[0] ?? null;
}

export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}

/** The platforms of an index that one can launch; attestations are listed as `unknown/unknown`. */
export function platformsOf(entries: readonly IndexEntry[]): string[] {
  const named = entries.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [platformText(platform)] : [],
  );
  return [...new Set(named)];
}
