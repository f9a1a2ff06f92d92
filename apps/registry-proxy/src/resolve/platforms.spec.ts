import { chooseEntry, normalisePlatform, platformsOf, runsOn } from './platforms.js';

const entry = (architecture: string, variant?: string, os = 'linux') => ({
  digest: `${os}/${architecture}/${variant ?? ''}`,
  size: 1,
  mediaType: 'x',
  platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
});

describe('platforms', () => {
  it.each([
    [
      { os: 'linux', architecture: 'x86_64' },
      { os: 'linux', architecture: 'amd64' },
    ],
    [
      { os: 'Linux', architecture: 'aarch64', variant: 'v8' },
      { os: 'linux', architecture: 'arm64' },
    ],
    [
      { os: 'linux', architecture: 'armv7l' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
  ])('%j is %j', (platform, expected) => {
    expect(normalisePlatform(platform)).toEqual(expected);
  });

  it('fit when a variant is left open, and not when it differs', () => {
    const arm = { os: 'linux', architecture: 'arm' };
    expect(runsOn({ ...arm, variant: 'v7' }, arm)).toBe(true);
    expect(runsOn({ ...arm, variant: 'v7' }, { ...arm, variant: 'v6' })).toBe(false);
    expect(runsOn(arm, { ...arm, os: 'windows' })).toBe(false);
  });

  it('of an index: the exact variant is taken before an open one', () => {
    const entries = [entry('amd64'), entry('arm'), entry('arm', 'v6'), entry('arm', 'v7')];
    expect(chooseEntry(entries, { os: 'linux', architecture: 'arm', variant: 'v7' })).toBe(entries[3]);
    expect(chooseEntry(entries, { os: 'linux', architecture: 'arm' })).toBe(entries[1]);
    expect(chooseEntry(entries, { os: 'linux', architecture: 's390x' })).toBeNull();
  });

  it('are told without attestations, each once', () => {
    const attestation = entry('unknown', undefined, 'unknown');
    expect(platformsOf([entry('amd64'), attestation, entry('amd64'), entry('arm', 'v7')])).toEqual([
      'linux/amd64',
      'linux/arm/v7',
    ]);
  });
});
