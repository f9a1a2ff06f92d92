import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PolicyCase, PolicyTestReport } from '@berth/contracts';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Cli } from '../cli.js';
import { command, type Common } from '../command.js';
import { CliError, EXIT } from '../errors.js';
import { printable } from '../output/text.js';
import { policyId } from './policy-text.js';

const CASES = '.test.yaml';
const POLICY = '.cedar';

interface TestOptions extends Common {
  live?: boolean;
}

/** A policy with the cases beside it: `no-latest.cedar` and `no-latest.test.yaml`. */
interface Tested {
  file: string;
  policy: { id: string; text: string };
  cases: z.input<typeof PolicyCase>[];
}

export function testCommand(cli: Cli): Command {
  return command('test <paths...>', 'Try policies with the cases beside them; nothing is put in force', [
    'policy test no-latest.cedar',
    'policy test policies/',
    'policy test policies/ --live',
  ])
    .argument(
      '<paths...>',
      `${POLICY} files with a ${CASES} of the same name beside them, or folders of these`,
    )
    .option('--live', 'each together with the policies in force, not alone')
    .addHelpText('after', EXAMPLE)
    .action((paths: string[], options: TestOptions) => test(cli, paths, options));
}

const EXAMPLE = `
Cases are a list in YAML; a case says only what matters to it:
  - name: latest is refused in prod
    action: deployment.create
    principal: { teams: { acme: developer } }
    resource: { environment: prod }
    context: { tags: [latest] }
    expect: deny
    policies: [no-latest]`;

async function test(cli: Cli, paths: readonly string[], { live = false, json }: TestOptions): Promise<void> {
  const reports: { file: string; report: PolicyTestReport }[] = [];
  for (const { file, policy, cases } of paths.flatMap((path) => read(cli, path))) {
    const body = { policies: [policy], cases, live };
    reports.push({ file, report: await cli.api.post('/v1/policies/tests', PolicyTestReport, body) });
  }
  const failed = reports.reduce((sum, { report }) => sum + report.failed, 0);
  const passed = reports.reduce((sum, { report }) => sum + report.passed, 0);
  if (failed > 0) cli.exitCode = EXIT.failed;
  if (json)
    return cli.output.json({
      passed,
      failed,
      files: reports.map(({ file, report }) => ({ file, ...report })),
    });
  for (const { file, report } of reports) tell(cli, file, report);
  cli.output.line(`${passed} passed, ${failed} failed`);
}

function tell({ output }: Cli, file: string, { cases }: PolicyTestReport): void {
  output.line(output.paint('bold', file));
  for (const { name, passed, problem, policies } of cases) {
    const mark = passed ? output.paint('green', '✓') : output.paint('red', '✗');
    output.line(`  ${mark} ${printable(name)}`);
    if (problem === null) continue;
    output.line(`      ${printable(problem)}`);
    for (const { id, message } of policies) output.line(`      ${printable(`${id}: ${message}`)}`);
  }
}

function read(cli: Cli, path: string): Tested[] {
  const at = cli.resolve(path);
  const found = statSync(at, { throwIfNoEntry: false });
  if (!found) throw CliError.usage(`${path} is not there`);
  if (!found.isDirectory()) return [readOne(path, at)];
  const names = readdirSync(at)
    .filter((name) => name.endsWith(POLICY))
    .sort();
  if (names.length === 0) throw CliError.usage(`${path} has no ${POLICY} file`);
  return names.map((name) => readOne(join(path, name), join(at, name)));
}

function readOne(shown: string, at: string): Tested {
  if (!at.endsWith(POLICY)) throw CliError.usage(`${shown} is no ${POLICY} file`);
  const beside = at.slice(0, -POLICY.length) + CASES;
  if (!statSync(beside, { throwIfNoEntry: false })) {
    throw CliError.usage(
      `${shown} has no cases`,
      `Write them into ${basename(beside)} beside it: see \`berth policy test --help\`.`,
    );
  }
  const text = readFileSync(at, 'utf8');
  return { file: shown, policy: { id: policyId(text), text }, cases: readCases(beside) };
}

/** As they are written: the service fills in what they leave out. */
function readCases(file: string): z.input<typeof PolicyCase>[] {
  let written: unknown;
  try {
    written = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw CliError.usage(`${basename(file)} is no YAML: ${(error as Error).message}`);
  }
  const cases = z.array(PolicyCase).min(1).safeParse(written);
  if (!cases.success) throw CliError.usage(`${basename(file)}: ${z.prettifyError(cases.error)}`);
  return written as z.input<typeof PolicyCase>[];
}
