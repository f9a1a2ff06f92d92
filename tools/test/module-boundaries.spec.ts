import { execFile } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');

interface Probe {
  /** What the rule must stop. */
  breach: string;
  project: string;
  content: string;
  complaint: RegExp;
}

const probes: Probe[] = [
  {
    breach: 'an app imports an app',
    project: 'apps/quota',
    content: "export * from '@berth/scheduler';",
    complaint: /never imports an app/,
  },
  {
    breach: 'an app reaches into another by path',
    project: 'apps/quota',
    content: "export * from '../../scheduler/src/env.js';",
    complaint: /relative/,
  },
  {
    breach: 'a lib imports one above it',
    project: 'libs/contracts',
    content: "export { eventually } from '@berth/testing';",
    complaint: /lib:contracts|Circular/,
  },
  {
    breach: 'the CLI imports more than contracts',
    project: 'apps/cli',
    content: "export { RpcClient } from '@berth/messaging';",
    complaint: /app:cli/,
  },
  {
    breach: 'production code imports the test parts',
    project: 'apps/quota',
    content: "export { eventually } from '@berth/testing';",
    complaint: /For specs only/,
  },
  {
    breach: 'a file reads the environment',
    project: 'apps/quota',
    content: 'export const home = process.env.HOME;',
    complaint: /env\.ts/,
  },
  {
    breach: 'forwardRef comes back',
    project: 'apps/quota',
    content: "import { forwardRef } from '@nestjs/common';\nexport const later = forwardRef(() => Object);",
    complaint: /better cut/,
  },
  {
    breach: '(nothing: this is allowed)',
    project: 'apps/quota',
    content: "export { BerthError } from '@berth/contracts';",
    complaint: /^$/,
  },
];

const PREFIX = 'boundary-probe-';
const ESLINT = join(root, 'node_modules/eslint/bin/eslint.js');
/** Of all probes together; the files are there for as long. */
const LINT_MS = 120_000;

const fileOf = (index: number): string => join(root, probes[index].project, `src/${PREFIX}${index}.ts`);

/** Those of a run that was killed as well. */
function removeProbes(): void {
  for (const project of new Set(probes.map(({ project }) => project))) {
    const folder = join(root, project, 'src');
    for (const name of readdirSync(folder))
      if (name.startsWith(PREFIX)) rmSync(join(folder, name), { force: true });
  }
}

/** What ESLint says of each probe, in one run. It ends with the signal. */
async function lintAll(signal: AbortSignal): Promise<string[]> {
  const files = probes.map((_probe, index) => fileOf(index));
  probes.forEach(({ content }, index) => writeFileSync(files[index], content));
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [ESLINT, '--format', 'json', ...files],
      { cwd: root, maxBuffer: 16e6, signal },
      // It ends with 1 when it finds something, which is what is wanted.
      (error, stdout, stderr) => (stdout ? resolve(stdout) : reject(new Error(stderr, { cause: error }))),
    );
  });
  const results = JSON.parse(output) as { filePath: string; messages: { message: string }[] }[];
  return files.map((file) =>
    results
      .find(({ filePath }) => filePath === file)!
      .messages.map(({ message }) => message)
      .join('\n'),
  );
}

describe('the boundaries between the projects', () => {
  const linting = new AbortController();
  let said: string[];

  beforeAll(async () => {
    removeProbes();
    said = await lintAll(linting.signal);
  }, LINT_MS);
  // Also where the hook above took too long: Jest does not wait for the end of that.
  afterAll(() => {
    linting.abort();
    removeProbes();
  });

  it.each(probes.map((probe, index) => [probe.breach, index] as const))('hold when %s', (_breach, index) => {
    expect(said[index]).toMatch(probes[index].complaint);
  });
});
