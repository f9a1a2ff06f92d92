import { setTimeout as wait } from 'node:timers/promises';
import { page, ResourceOperation } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  inEnvironment,
  paged,
  pageQuery,
  tellOfMore,
  type Common,
  type InEnvironment,
  type Paging,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { CliError, EXIT } from '../errors.js';
import { path } from '../http/path.js';
import { resourcePath } from '../resource-path.js';
import { ago, elapsed, printable } from '../output/text.js';
import { confirmed } from '../prompt.js';

const POLL_MS = 300;

type Operating = Common & InEnvironment & { detach?: boolean };

export function backupCommands(cli: Cli): Command[] {
  const backup = operating(
    command('backup <name>', 'Back a resource up, and try the backup out', [
      'resource backup orders-db --env prod',
    ]),
  )
    .argument('<name>')
    .action((name: string, options: Operating) =>
      operate(cli, options, () =>
        cli.api.post(`${resourcePath(cli, name, options)}/backups`, ResourceOperation, {}),
      ),
    );
  const restore = operating(
    command('restore <name> <backup>', 'Put a backup in place of what a resource holds', [
      'resource restore orders-db 0199f3c0-7b1e-7000-8000-3a0d6f1c2b4d --env dev',
    ]),
  )
    .argument('<name>')
    .argument('<backup>', 'its id, as `berth resource backups` shows it')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, id: string, options: Operating & { yes?: boolean }) => {
      const question = `Restore ${name} of ${projectName(cli, options.project)}.${options.env}? What came after the backup is lost.`;
      if (!(await confirmed(cli, question, options.yes))) return cli.output.note('Nothing was restored.');
      const place = `${resourcePath(cli, name, options)}/restores`;
      await operate(cli, options, () => cli.api.post(place, ResourceOperation, { backup: id }));
    });
  const list = paged(
    inEnvironment(
      command('backups <name>', 'List the backups of a resource, and what became of each', [
        'resource backups orders-db --env prod',
      ]),
    ),
  )
    .argument('<name>')
    .action((name: string, options: Common & InEnvironment & Paging) => listBackups(cli, name, options));
  return [backup, restore, list];
}

function operating(member: Command): Command {
  return inEnvironment(member).option('-d, --detach', 'return as soon as it is accepted');
}

/** Asks for it and shows what is being done to the end; throws when it fails. */
async function operate(cli: Cli, options: Operating, ask: () => Promise<ResourceOperation>): Promise<void> {
  let operation = await ask();
  const { project, environment, resource, id } = operation;
  const place = path`/v1/projects/${project}/environments/${environment}/resources/${resource}/operations/${id}`;
  if (options.detach) {
    if (options.json) return cli.output.json(operation);
    return cli.output.line(
      `Accepted as ${id}. See it: berth resource backups ${resource} --env ${environment}`,
    );
  }
  let told: string | null = null;
  while (operation.status === 'running') {
    if (operation.step !== told) cli.output.note(`${operation.step ?? ''} …`);
    told = operation.step;
    await wait(POLL_MS);
    operation = await cli.api.get(place, ResourceOperation);
  }
  if (options.json) cli.output.json(operation);
  if (operation.status === 'failed')
    throw new CliError(
      operation.kind === 'backup' ? 'BACKUP_FAILED' : 'RESTORE_FAILED',
      printable(operation.reason ?? 'no reason was given'),
      EXIT.failed,
      null,
    );
  if (!options.json) tellEnd(cli, operation);
}

function tellEnd(cli: Cli, { kind, id, bytes, resource, createdAt, finishedAt }: ResourceOperation): void {
  const time = elapsed(createdAt, finishedAt);
  const good = cli.output.paint('green', 'succeeded');
  cli.output.line(
    kind === 'backup'
      ? `${good}: ${id}, ${bytes ?? 0} bytes, restored elsewhere and found the same, after ${time}`
      : `${good}: ${resource} holds what the backup does, after ${time}`,
  );
}

async function listBackups(cli: Cli, name: string, options: Common & InEnvironment & Paging): Promise<void> {
  const place = `${resourcePath(cli, name, options)}/operations`;
  const query = { ...pageQuery(options), kind: 'backup' };
  const backups = await cli.api.get(place, page(ResourceOperation), query);
  if (options.json) return cli.output.json(backups);
  cli.output.table(
    backups.items,
    [
      ['BACKUP', ({ id }) => id],
      ['STATUS', ({ status, step }) => (step ? `${status}: ${step}` : status)],
      ['BYTES', ({ bytes }) => bytes ?? '-'],
      ['BY', ({ createdBy }) => createdBy],
      ['MADE', ({ createdAt }) => ago(createdAt)],
      ['', ({ reason }) => (reason ? printable(reason) : '')],
    ],
    `${name} has no backups. Make one: berth resource backup ${name} --env ${options.env}`,
  );
  tellOfMore(cli, backups);
}
