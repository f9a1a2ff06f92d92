import type { Deployment, DeploymentStep, StepName } from '@berth/contracts';
import type { Color, Output } from '../output/output.js';
import { elapsed, printable } from '../output/text.js';

const TITLES: Record<StepName, string> = {
  resolving: 'resolving images',
  policy: 'policy',
  quota: 'quota',
  'rolling-out': 'rolling out',
  healthy: 'healthy',
};
const WIDTH = Math.max(...Object.values(TITLES).map((title) => title.length));
const MARKS: Record<DeploymentStep['status'], readonly [mark: string, color: Color]> = {
  pending: ['·', 'dim'],
  running: ['…', 'cyan'],
  succeeded: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['-', 'dim'],
};
const ERASE_LINE = '\r\u001b[2K';

/**
 * Shows the steps of a deployment as they end, one a line. On a terminal the one under way counts its seconds in
 * place; elsewhere a line says that it began.
 */
export class StepPrinter {
  private readonly ended = new Set<StepName>();
  private readonly begun = new Set<StepName>();
  private current: (() => string) | null = null;
  private readonly clock: NodeJS.Timeout | null;

  constructor(
    private readonly output: Output,
    private readonly stream: NodeJS.WriteStream,
  ) {
    this.clock = stream.isTTY ? setInterval(() => this.refresh(), 200).unref() : null;
  }

  /** Says what is under way before there is a deployment to tell of. */
  waiting(what: string): void {
    const startedAt = new Date().toISOString();
    this.setCurrent(() => this.render('running', what, elapsed(startedAt, null), null));
  }

  show({ steps }: Pick<Deployment, 'steps'>): void {
    this.setCurrent(null);
    for (const step of steps) {
      if (step.status === 'pending' || this.ended.has(step.name)) continue;
      if (step.status === 'running') this.showRunning(step);
      else this.showEnded(step);
    }
  }

  stop(): void {
    if (this.clock) clearInterval(this.clock);
    this.setCurrent(null);
  }

  private showRunning(step: DeploymentStep): void {
    if (this.stream.isTTY) return this.setCurrent(() => this.lineOf(step));
    if (!this.begun.has(step.name)) this.write(`${this.lineOf({ ...step, startedAt: null })}\n`);
    this.begun.add(step.name);
  }

  private showEnded(step: DeploymentStep): void {
    this.ended.add(step.name);
    this.write(`${this.lineOf(step)}\n`);
  }

  private lineOf({ name, status, message, startedAt, finishedAt }: DeploymentStep): string {
    // Why it failed is told at the end, in full.
    const told = status === 'failed' ? null : message;
    return this.render(status, TITLES[name], elapsed(startedAt, finishedAt), told);
  }

  private render(
    status: DeploymentStep['status'],
    title: string,
    time: string,
    message: string | null,
  ): string {
    const [mark, color] = MARKS[status];
    const told = message ? printable(message).split('\n', 1)[0] : '';
    const parts = [title.padEnd(WIDTH), time.padStart(8), told];
    return `  ${this.output.paint(color, mark, this.stream)} ${parts.join('  ').trimEnd()}`;
  }

  private setCurrent(current: (() => string) | null): void {
    if (this.stream.isTTY && (this.current || current)) this.write(ERASE_LINE);
    this.current = current;
    this.refresh();
  }

  private refresh(): void {
    if (!this.current || !this.stream.isTTY) return;
    this.write(`${ERASE_LINE}${this.current().slice(0, this.stream.columns + 10)}`);
  }

  private write(text: string): void {
    this.stream.write(text);
  }
}
