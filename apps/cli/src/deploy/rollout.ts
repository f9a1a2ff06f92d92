import type { Deployment } from '@berth/contracts';
import type { Cli } from '../cli.js';
import type { Common } from '../command.js';
import { followDeployment } from './follow.js';
import { tellOutcome } from './outcome.js';
import { StepPrinter } from './steps.js';

export interface RolloutOptions extends Common {
  detach?: boolean;
}

/** Asks for a deployment and shows its steps to the end; throws when it does not succeed. */
export async function rollOut(
  cli: Cli,
  options: RolloutOptions,
  what: string,
  ask: () => Promise<Deployment>,
): Promise<void> {
  // With --json stdout is for the deployment; the steps are shown to whoever watches.
  const steps = new StepPrinter(cli.output, options.json ? cli.output.stderr : cli.output.stdout);
  let forget = (): void => undefined;
  try {
    steps.waiting(what);
    const accepted = await ask();
    // Before a word of it is shown: whoever reads it may leave at once.
    forget = onInterrupt(cli, steps, accepted);
    steps.show(accepted);
    if (options.detach) return tellAccepted(cli, accepted, options);
    let last = accepted;
    for await (last of followDeployment(cli.api, accepted.id)) steps.show(last);
    steps.stop();
    await tellOutcome(cli, last, options.json ?? false);
  } finally {
    forget();
    steps.stop();
  }
}

/** As a shell has it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** Whoever stops watching has not stopped the deployment: says so. Answers what undoes it. */
function onInterrupt(cli: Cli, steps: StepPrinter, { id }: Deployment): () => void {
  const leave = (): void => {
    steps.stop();
    cli.output.note(
      `The deployment goes on. See it: berth deployments ${id} --follow. End it: berth cancel ${id}`,
    );
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', leave);
  return () => process.off('SIGINT', leave);
}

function tellAccepted(cli: Cli, deployment: Deployment, options: Common): void {
  if (options.json) return cli.output.json(deployment);
  cli.output.line(`Accepted as ${deployment.id}. Follow it: berth deployments ${deployment.id} --follow`);
}
