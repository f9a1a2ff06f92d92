import {
  gatherFacts,
  install,
  planPrerequisites,
  type Home,
  type HostSettings,
  type Progress,
  type Purpose,
} from '@berth/host';
import { SetupError } from './console.js';

/** Puts what is missing for these purposes in place. Where that can't be done: throws, having changed nothing. */
export async function prepareMachine(
  home: Home,
  settings: HostSettings,
  purposes: Purpose[],
  progress: Progress,
): Promise<void> {
  const { steps, obstacles } = planPrerequisites(await gatherFacts(home, settings), purposes);
  if (obstacles.length > 0) {
    const list = obstacles.map((obstacle) => `  - ${obstacle}`).join('\n');
    throw new SetupError(`This machine is not ready, and nothing was changed:\n${list}`);
  }
  if (steps.length > 0) await install(steps, home, progress);
}
