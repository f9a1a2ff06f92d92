import { Diff, Parity, Plan, type Difference } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  inEnvironment,
  inProject,
  type Common,
  type InEnvironment,
  type InProject,
} from '../command.js';
import { projectName, readComposeFile } from '../compose-file.js';
import { path } from '../http/path.js';
import { printable, shortDigest } from '../output/text.js';

/** What would change, and what differs. */
export function comparisonCommands(cli: Cli): Command[] {
  const plan = inEnvironment(
    command('plan', 'See what a deploy would change, to the key; changes nothing', [
      'plan --env prod',
      'plan -f compose.yaml --env dev --json',
    ]),
  )
    .option('-f, --file <path>', 'the Compose file, - for standard input (default: compose.yaml here)')
    .action((options: Common & InEnvironment & { file?: string }) => showPlan(cli, options));
  const diff = inEnvironment(
    command('diff <with>', 'See how what runs differs from another environment or release', [
      'diff prod --env dev',
      'diff f3807a937b46 --env prod',
    ]),
  )
    .argument('<with>', 'an environment, or the first digits of a release that ran here')
    .action((other: string, options: Common & InEnvironment) => showDiff(cli, other, options));
  const parity = inProject(
    command('parity <from> <to>', 'See every difference between two environments, and why it is there', [
      'parity dev prod',
    ]),
  )
    .argument('<from>')
    .argument('<to>')
    .action((from: string, to: string, options: Common & InProject) => showParity(cli, from, to, options));
  return [plan, diff, parity];
}

async function showPlan(cli: Cli, options: Common & InEnvironment & { file?: string }): Promise<void> {
  const file = await readComposeFile(cli, options.file);
  const project = projectName(cli, options.project, file);
  const place = path`/v1/projects/${project}/environments/${options.env}/plans`;
  const plan = await cli.api.post(place, Plan, { compose: file.text });
  if (options.json) return cli.output.json(plan);
  for (const warning of plan.warnings) cli.output.note(warning);
  const changing = plan.services.filter(({ change }) => change !== 'none');
  if (changing.length === 0) {
    return cli.output.line(`Nothing would change in ${project}.${options.env}.`);
  }
  cli.output.table(
    plan.services,
    [
      ['SERVICE', ({ service }) => service],
      ['CHANGE', ({ change }) => change],
      ['HOW', ({ order }) => order],
      ['NOTE', ({ note }) => note],
    ],
    'No services.',
  );
  cli.output.line();
  tellDifferences(cli, plan.differences);
  const now = plan.current === null ? 'nothing' : shortDigest(plan.current);
  cli.output.note(`${project}.${options.env} runs ${now}, and would run ${shortDigest(plan.release)}.`);
}

async function showDiff(cli: Cli, other: string, options: Common & InEnvironment): Promise<void> {
  const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${options.env}/diff`;
  const diff = await cli.api.get(place, Diff, { with: other });
  if (options.json) return cli.output.json(diff);
  if (diff.differences.length === 0) return cli.output.line(`${diff.from} and ${diff.to} do not differ.`);
  tellDifferences(cli, diff.differences);
}

async function showParity(cli: Cli, from: string, to: string, options: Common & InProject): Promise<void> {
  const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${from}/parity`;
  const parity = await cli.api.get(place, Parity, { with: to });
  if (options.json) return cli.output.json(parity);
  cli.output.line(
    parity.sameRelease
      ? `${from} and ${to} run the same release.`
      : `${from} and ${to} run different releases.`,
  );
  cli.output.table(
    parity.differences,
    [
      ['WHY', ({ kind, environment }) => (environment ? `${kind} in ${environment}` : kind)],
      ['SERVICE', ({ service }) => service ?? '-'],
      ['KEY', ({ path: key }) => key || '(the service)'],
      [
        from.toUpperCase(),
        ({ kind, from: value }) => (kind === 'drift' ? `(rolled out) ${value ?? '-'}` : value),
      ],
      [to.toUpperCase(), ({ kind, to: value }) => (kind === 'drift' ? `(found) ${value ?? '-'}` : value)],
    ],
    'Nothing differs.',
  );
}

/** As a diff shows lines: what goes, and what comes. */
function tellDifferences(cli: Cli, differences: readonly Difference[]): void {
  for (const { service, path: key, from, to } of differences) {
    const name = key === '' ? service : `${service}.${key}`;
    if (from !== null) cli.output.line(cli.output.paint('red', `- ${name}: ${printable(from)}`));
    if (to !== null) cli.output.line(cli.output.paint('green', `+ ${name}: ${printable(to)}`));
  }
}
