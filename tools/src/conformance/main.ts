import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inheritedEnvironment } from '@berth/host';
import { endRun, startPlatform, startRun, type TestPlatform } from '@berth/testing';
import { makeDeveloper } from '../developer.js';

const VERSIONS = ['1.1', '1.1+dev'];
const USAGE = `npm run conformance -- <program> [objects]

Runs the conformance suite of the OCI distribution spec (its folder "conformance", built with "go build") against a registry of its
own, by the token flow, for ${VERSIONS.join(' and ')}; with "objects", on an object storage that clients are sent to.`;

/** As a developer of a team, with nothing but her token. Answers how many versions failed. */
async function judge(platform: TestPlatform, program: string): Promise<number> {
  const token = await makeDeveloper(platform);
  let failed = 0;
  for (const version of VERSIONS) {
    const results = mkdtempSync(join(tmpdir(), 'berth-conformance-'));
    console.log(`${version}, reports in ${results}`);
    const suite = spawn(program, [], {
      stdio: 'inherit',
      env: {
        ...inheritedEnvironment(),
        ...{ OCI_REGISTRY: platform.registry, OCI_TLS: 'disabled', OCI_VERSION: version },
        ...{ OCI_REPO1: 'acme/one', OCI_REPO2: 'acme/two', OCI_USERNAME: 'dana', OCI_PASSWORD: token },
        OCI_RESULTS_DIR: results,
      },
    });
    const [code] = (await once(suite, 'close')) as [number | null];
    console.log(`${version}: the suite ended with ${code}`);
    if (code !== 0) failed += 1;
  }
  return failed;
}

async function main(): Promise<void> {
  const [program, store] = process.argv.slice(2);
  if (program === undefined || program.startsWith('-')) {
    console.log(USAGE);
    process.exitCode = program === undefined ? 2 : 0;
    return;
  }
  const folder = await startRun();
  try {
    const services = ['gateway', 'policy', 'quota', 'audit', 'registry-proxy'] as const;
    const bucket = { name: 'conformance', redirect: 'on' } as const;
    const platform = await startPlatform({ services, ...(store === 'objects' ? { bucket } : {}) });
    try {
      process.exitCode = await judge(platform, resolve(program));
    } finally {
      await platform.stop();
    }
  } finally {
    await endRun(folder);
  }
}

void main();
