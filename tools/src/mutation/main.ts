import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '@berth/host';
import { type Mutant, MUTANTS } from './mutants.js';

/** What runs after each change, unless a mutant names others. */
const USUAL_SPECS: readonly string[] = ['libs/actions/test'];

/** A copy of what is checked in here, with the changes that are not, what is built of it, and the packages by hard links. */
function copyRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'berth-mutants-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of listed.split('\0').filter(Boolean)) cpSync(join(REPOSITORY, file), join(copy, file));
  // By content and not by links: the copy builds anew what it takes for stale.
  for (const folder of ['tools', ...packagesIn('apps'), ...packagesIn('libs')]) {
    const built = join(REPOSITORY, folder, 'dist');
    if (existsSync(built)) cpSync(built, join(copy, folder, 'dist'), { recursive: true });
  }
  execFileSync('cp', ['--archive', '--link', join(REPOSITORY, 'node_modules'), copy]);
  return copy;
}

function packagesIn(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder)).map((name) => join(folder, name));
}

interface Outcome {
  mutant: string;
  /** Names of the tests that fail; null where none could be run. */
  failed: string[] | null;
}

interface Report {
  numTotalTests: number;
  testResults: { assertionResults: { status: string; fullName: string }[] }[];
}

/** The tests that fail in the copy as it is. */
function failingTests(copy: string, specs = USUAL_SPECS): Promise<string[] | null> {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const jest = join(copy, 'node_modules', 'jest', 'bin', 'jest.js');
  const options = ['--json', `--outputFile=${report}`, '--silent', '--runInBand', '--forceExit', ...specs];
  return new Promise((resolve) => {
    execFile(process.execPath, [jest, ...options], { cwd: copy, maxBuffer: 64 * 1024 * 1024 }, () => {
      try {
        const { numTotalTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
        const all = testResults.flatMap(({ assertionResults }) => assertionResults);
        const failed = all.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
        resolve(numTotalTests > 0 ? failed : null);
      } catch {
        resolve(null);
      }
    });
  });
}

export function mutate(source: string, { name, from, to }: Mutant): string {
  const parts = source.split(from);
  if (parts.length !== 2)
    throw new Error(`"${name}": what it takes out stands in the file ${parts.length - 1} times`);
  return parts.join(to);
}

/** `npm run mutate -- instances` for those whose names have the word in them. */
async function main(word = ''): Promise<void> {
  const mutants = MUTANTS.filter(({ name }) => name.includes(word));
  const copy = copyRepository();
  try {
    const all = [...new Set([...USUAL_SPECS, ...mutants.flatMap(({ specs = [] }) => specs)])];
    const intact = await failingTests(copy, all);
    if (intact?.length !== 0)
      throw new Error(`the tests fail without any change: ${intact?.join('; ') ?? 'none ran'}`);
    const outcomes: Outcome[] = [];
    for (const mutant of mutants) {
      const file = join(copy, mutant.file);
      const source = readFileSync(file, 'utf8');
      writeFileSync(file, mutate(source, mutant));
      outcomes.push({ mutant: mutant.name, failed: await failingTests(copy, mutant.specs) });
      writeFileSync(file, source);
      const { failed } = outcomes[outcomes.length - 1];
      const told = failed?.length
        ? `found by ${failed.length}: ${failed[0]}`
        : failed
          ? 'SURVIVED'
          : 'NOTHING RAN';
      console.log(`${mutant.name}: ${told}`);
    }
    const survived = outcomes.filter(({ failed }) => !failed?.length);
    console.log(`${outcomes.length - survived.length} of ${outcomes.length} were found`);
    if (survived.length > 0) process.exitCode = 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

if (require.main === module) void main(process.argv[2]);
