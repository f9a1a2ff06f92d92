import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Cli } from './cli.js';
import { auditCommands } from './commands/audit.js';
import { comparisonCommands } from './commands/comparisons.js';
import { deployCommands } from './commands/deploy.js';
import { deploymentCommands } from './commands/deployments.js';
import { environmentCommands } from './commands/environments.js';
import { execCommand } from './commands/exec.js';
import { logsCommand } from './commands/logs.js';
import { loginCommands } from './commands/login.js';
import { openCommand } from './commands/open.js';
import { hookCommands } from './commands/hooks.js';
import { policyCommands } from './commands/policies.js';
import { projectCommands } from './commands/projects.js';
import { priceCommands } from './commands/prices.js';
import { quotaCommands } from './commands/quotas.js';
import { releaseCommands } from './commands/releases.js';
import { resourceCommands } from './commands/resources.js';
import { catalogCommands } from './commands/catalog.js';
import { certificateCommands } from './commands/certificates.js';
import { imageCommands } from './commands/images.js';
import { retentionCommands } from './commands/retention.js';
import { upstreamCommands } from './commands/upstreams.js';
import { nodeCommands } from './commands/nodes.js';
import { secretCommands } from './commands/secrets.js';
import { serviceAccountCommands } from './commands/service-accounts.js';
import { statusCommands } from './commands/status.js';
import { teamCommands } from './commands/teams.js';
import { tokenCommands } from './commands/tokens.js';
import { topCommand } from './commands/top.js';
import { userCommands } from './commands/users.js';

const EPILOGUE = `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 not logged in, 4 denied by policy, 5 over quota, 6 not found,
7 the platform does not answer; "berth exec" ends as its command does.
Settings: BERTH_URL, BERTH_TOKEN (override the stored login), BERTH_CONFIG (its folder), NO_COLOR.`;

/** The whole command tree. A parse error throws instead of ending the process. */
export function buildProgram(cli: Cli): Command {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  const program = new Command('berth')
    .description('Deploy and run Compose files on Berth.')
    .version(version, '--version', 'print the version')
    .addHelpText('after', EPILOGUE)
    .showHelpAfterError('(see --help)');
  const families = [
    loginCommands,
    deployCommands,
    statusCommands,
    logsCommand,
    execCommand,
    topCommand,
    openCommand,
    releaseCommands,
    comparisonCommands,
    deploymentCommands,
    projectCommands,
    environmentCommands,
    resourceCommands,
    catalogCommands,
    secretCommands,
    teamCommands,
    userCommands,
    serviceAccountCommands,
    tokenCommands,
    policyCommands,
    hookCommands,
    certificateCommands,
    nodeCommands,
    imageCommands,
    retentionCommands,
    upstreamCommands,
    quotaCommands,
    priceCommands,
    auditCommands,
  ];
  for (const member of families.flatMap((build) => build(cli))) program.addCommand(member);
  configure(program, cli);
  return program;
}

/** Settings of commander are inherited by `.command()` only, not by `.addCommand()`. */
function configure(command: Command, cli: Cli): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.output.stdout.write(text),
      writeErr: (text) => void cli.output.stderr.write(text.replace(/^error: /, 'USAGE: ')),
    })
    .showHelpAfterError('(see --help)');
  command.commands.forEach((member) => configure(member, cli));
}
