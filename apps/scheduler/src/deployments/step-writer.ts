import type { DeploymentStep, StepName } from '@berth/contracts';
import { failedSteps, withStep } from './steps.js';

/**
 * The steps of a deployment as they change. What the engine says many times a second is written as fast as the database
 * takes it, the latest word only; that a step begins or ends is never left out.
 */
export class StepWriter {
  private dirty = false;
  private writing: Promise<void> = Promise.resolve();
  private failure: unknown = null;

  constructor(
    private steps: DeploymentStep[],
    private readonly write: (steps: DeploymentStep[]) => Promise<void>,
    /** Called once when writing fails: what goes on unwritten must not go on. */
    private readonly onFailure: (error: unknown) => void,
  ) {}

  get current(): DeploymentStep[] {
    return this.steps;
  }

  set(name: StepName, status: DeploymentStep['status'], message: string | null): void {
    this.become(withStep(this.steps, name, status, message));
  }

  statusOf(name: StepName): DeploymentStep['status'] | undefined {
    return this.steps.find((step) => step.name === name)?.status;
  }

  failed(message: string): DeploymentStep[] {
    return failedSteps(this.steps, message);
  }

  /** Resolves when all that was set is written, and throws what kept it from being. */
  async flush(): Promise<void> {
    await this.writing;
    if (this.failure) throw this.failure;
  }

  private become(steps: DeploymentStep[]): void {
    this.steps = steps;
    if (this.dirty) return;
    this.dirty = true;
    this.writing = this.writing.then(() => this.writeLatest());
  }

  private async writeLatest(): Promise<void> {
    this.dirty = false;
    if (this.failure) return;
    try {
      await this.write(this.steps);
    } catch (error) {
      this.failure = error;
      this.onFailure(error);
    }
  }
}
