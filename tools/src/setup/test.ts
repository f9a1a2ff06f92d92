import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Home, readJsonFile, REPOSITORY, tryCommand, type HostSettings } from '@berth/host';
import { Console } from './console.js';
import { prepareMachine } from './prepare.js';

const CHECKS = ['lint', 'format:check', 'typecheck'];

interface Tally {
  passed: number;
  failed: number;
}

/** Of Jest's --json report. A suite that could not even run counts as one failure. */
interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
}

/**
 * `berth test [jest options]`: makes the machine ready, runs the checks, then Jest. With options only what they select
 * runs, without the checks. The last line is `N passed, N failed`; a failed check counts as a failure.
 */
export async function test(settings: HostSettings, jestOptions: string[]): Promise<number> {
  const console = new Console({ json: false, quiet: false });
  const { progress } = console;
  const home = new Home(settings.home);
  await prepareMachine(home, settings, ['platform', 'tests'], progress);

  const checks = jestOptions.length === 0 ? await runChecks(progress) : { passed: 0, failed: 0 };
  // A wrong type or a lint error tells more, sooner, than the tests that it breaks.
  const tests = checks.failed === 0 ? await runJest(jestOptions, progress) : { passed: 0, failed: 0 };
  if (checks.failed > 0) progress('the tests were not run: mend the checks first');
  console.tell(`${checks.passed + tests.passed} passed, ${checks.failed + tests.failed} failed`);
  return checks.failed + tests.failed > 0 || tests.passed + checks.passed === 0 ? 1 : 0;
}

async function runChecks(progress: (message: string) => void): Promise<Tally> {
  progress(`checks: ${CHECKS.join(', ')}`);
  const results = await Promise.all(
    CHECKS.map(async (check) => {
      const { code, stdout, stderr } = await tryCommand('npm', ['run', '--silent', check], {
        cwd: REPOSITORY,
      });
      progress(`${check}: ${code === 0 ? 'ok' : 'failed'}`);
      if (code !== 0) process.stdout.write(`${stdout}${stderr}\n`);
      return code === 0;
    }),
  );
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}

async function runJest(options: string[], progress: (message: string) => void): Promise<Tally> {
  progress('tests');
  const folder = mkdtempSync(join(tmpdir(), 'berth-report-'));
  const reportFile = join(folder, 'report.json');
  try {
    const jest = join(REPOSITORY, 'node_modules', 'jest', 'bin', 'jest.js');
    const child = spawn(process.execPath, [jest, '--json', `--outputFile=${reportFile}`, ...options], {
      cwd: REPOSITORY,
      // The report goes to the file; what --json would print besides is for nobody.
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const code = await endOf(child);
    const report = readJsonFile<JestReport>(reportFile);
    // Jest itself failed, or was interrupted.
    if (!report) return { passed: 0, failed: 1 };
    const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
    return { passed: report.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for Jest's end, also when interrupted: its own handler cleans up, and must be given the time. */
function endOf(child: ChildProcess): Promise<number> {
  // Ctrl-C reaches the child by itself, as part of the terminal's process group.
  const ignore = () => undefined;
  const pass = () => void child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', pass);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}
