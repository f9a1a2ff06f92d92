import { BerthError, ExecRequest, type ExecEnd } from '@berth/contracts';
import { Pipe, type PipeSubjects } from '@berth/messaging';
import { asBerthError, correlationId } from '@berth/runtime';
import type { NatsConnection } from '@nats-io/transport-node';
import type { RunningCommand } from '../engine/container-engine.js';

export type ExecOutcome = { exitCode: number } | { error: BerthError } | { left: true };

/** One command that runs, and the pipe to whoever started it. */
export class ExecSession {
  private readonly stop = new AbortController();
  private readonly pipe: Pipe;
  private error: BerthError | null = null;

  constructor(
    connection: NatsConnection,
    subjects: PipeSubjects,
    private readonly command: RunningCommand,
  ) {
    this.pipe = new Pipe(connection, subjects, {
      data: (_channel, data) => this.command.write(data),
      note: (note) => this.obey(ExecRequest.parse(note)),
      broken: () => this.leave(),
    });
  }

  /** Resolves when the command has ended, or nobody is there any more to hear of it. */
  async run(judge: (exitCode: number) => Promise<void>): Promise<ExecOutcome> {
    try {
      for await (const { channel, data } of this.command.output) await this.pipe.send(channel, data);
      this.stop.signal.throwIfAborted();
      const exitCode = await this.command.exitCode(this.stop.signal);
      await judge(exitCode);
      this.say({ type: 'exit', code: exitCode });
      return { exitCode };
    } catch (thrown) {
      if (this.stop.signal.aborted && !this.error) return { left: true };
      const error = this.error ?? asBerthError(thrown);
      this.say({ type: 'error', problem: error.toProblem(correlationId()) });
      return { error };
    } finally {
      this.command.leave();
    }
  }

  /** The caller is told why; the command loses its input. */
  end(error: BerthError): void {
    this.error = error;
    this.leave();
  }

  private leave(): void {
    this.stop.abort();
    this.command.leave();
  }

  private obey(request: ExecRequest): Promise<void> | void {
    if (request.type === 'resize') return this.command.resize(request);
    this.command.endInput();
  }

  private say(end: ExecEnd): void {
    this.pipe.finish(end);
  }
}
