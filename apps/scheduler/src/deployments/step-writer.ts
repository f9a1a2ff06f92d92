import type { DeploymentStep, StepName } from '@berth/contracts';
import { failedSteps, withStep } from './steps.js';

/** Between two words of the engine that are written down: an onlooker reads no faster. */
const PAUSE_MS = 250;

/**
 * The steps of a deployment as they change. Of what the engine says many times a second, the latest word is written every
 * so often; that a step begins or ends is written at once.
 */
export class StepWriter {
  private dirty = false;
  private urgent = false;
  private hurry: () => void = () => undefined;
  private wroteAt = -PAUSE_MS;
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
    const news = this.statusOf(name) !== status;
    this.steps = withStep(this.steps, name, status, message);
    if (news) this.atOnce();
    if (this.dirty) return;
    this.dirty = true;
    this.writing = this.writing.then(() => this.writeLatest());
  }

  statusOf(name: StepName): DeploymentStep['status'] | undefined {
    return this.steps.find((step) => step.name === name)?.status;
  }

  failed(message: string): DeploymentStep[] {
    return failedSteps(this.steps, message);
  }

  /** Resolves when all that was set is written, and throws what kept it from being. */
  async flush(): Promise<void> {
    this.atOnce();
    await this.writing;
    if (this.failure) throw this.failure;
  }

  private atOnce(): void {
    this.urgent = true;
    this.hurry();
  }

  private async writeLatest(): Promise<void> {
    await this.pause();
    this.dirty = false;
    this.urgent = false;
    this.wroteAt = performance.now();
    if (this.failure) return;
    try {
      await this.write(this.steps);
    } catch (error) {
      this.failure = error;
      this.onFailure(error);
    }
  }

  private async pause(): Promise<void> {
    const left = this.wroteAt + PAUSE_MS - performance.now();
    if (this.urgent || left <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      this.hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
