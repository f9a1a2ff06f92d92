import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
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

const fileOf = (index: number): string => join(root, probes[index].project, `src/boundary-probe-${index}.ts`);

/** What ESLint says of each probe, in one run: the files are there for the moment of the check only. */
async function lintAll(): Promise<string[]> {
  const files = probes.map((_probe, index) => fileOf(index));
  probes.forEach(({ content }, index) => writeFileSync(files[index], content));
  try {
    const output = await new Promise<string>((resolve) => {
      execFile(
        'npx',
        ['eslint', '--format', 'json', ...files],
        { cwd: root, maxBuffer: 16e6 },
        (_error, stdout) => resolve(stdout),
      );
    });
    const results = JSON.parse(output) as { filePath: string; messages: { message: string }[] }[];
    return files.map((file) =>
      results
        .find(({ filePath }) => filePath === file)!
        .messages.map(({ message }) => message)
        .join('\n'),
    );
  } finally {
    for (const file of files) rmSync(file, { force: true });
  }
}

describe('the boundaries between the projects', () => {
  let said: string[];

  beforeAll(async () => {
    said = await lintAll();
  });

  it.each(probes.map((probe, index) => [probe.breach, index] as const))('hold when %s', (_breach, index) => {
    expect(said[index]).toMatch(probes[index].complaint);
  });
});
