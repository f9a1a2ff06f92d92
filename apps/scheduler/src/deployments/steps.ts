import { StepName, type DeploymentStep } from '@berth/contracts';

type Status = DeploymentStep['status'];

/** The steps of a deployment, none begun. */
export function newSteps(): DeploymentStep[] {
  return StepName.options.map((name) => ({
    name,
    status: 'pending',
    message: null,
    startedAt: null,
    finishedAt: null,
  }));
}

/** The steps with one of them changed: its times follow from what becomes of it. */
export function withStep(
  steps: readonly DeploymentStep[],
  name: StepName,
  status: Status,
  message: string | null,
  now: Date = new Date(),
): DeploymentStep[] {
  const time = now.toISOString();
  return steps.map((step) => {
    if (step.name !== name) return step;
    const startedAt =
      status === 'pending' || status === 'skipped' ? step.startedAt : (step.startedAt ?? time);
    const finishedAt = status === 'succeeded' || status === 'failed' ? (step.finishedAt ?? time) : null;
    return { ...step, status, message, startedAt, finishedAt };
  });
}

/** The end of a deployment that did not succeed: the step under way failed, those after it are skipped. */
export function failedSteps(
  steps: readonly DeploymentStep[],
  message: string,
  now: Date = new Date(),
): DeploymentStep[] {
  let failed = false;
  return steps.map((step) => {
    if (step.status === 'succeeded' || step.status === 'failed') {
      failed ||= step.status === 'failed';
      return step;
    }
    if (failed) return { ...step, status: 'skipped' as const };
    failed = true;
    return withStep([step], step.name, 'failed', message, now)[0];
  });
}
