import { EXEC_CHANNEL_BYTES, ExecEnd, type ExecRequest } from '@berth/contracts';
import type { RawData, WebSocket } from 'ws';
import type { Cli } from '../cli.js';
import { CliError, EXIT } from '../errors.js';

/** Brings what is typed to the command, and what it writes back; resolves with its exit code. */
export class ExecSession {
  private end: ExecEnd | null = null;
  private readonly full = new Set<NodeJS.WriteStream>();

  constructor(
    private readonly cli: Cli,
    private readonly socket: WebSocket,
  ) {}

  async run(): Promise<number> {
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    this.socket.on('message', (data, isBinary) => this.take(data, isBinary));
    this.socket.resume();
    void this.sendInput();
    await closed;
    if (this.end?.type === 'exit') return this.end.code;
    if (this.end) throw CliError.fromProblem(this.end.problem);
    throw new CliError(
      'UNREACHABLE',
      'the connection to the command broke; it may go on in its instance, without input',
      EXIT.unavailable,
    );
  }

  say(request: ExecRequest): void {
    this.socket.send(JSON.stringify(request), () => undefined);
  }

  /** As fast as the other side takes it. */
  private async sendInput(): Promise<void> {
    try {
      for await (const chunk of this.cli.stdin)
        await new Promise<void>((resolve) => this.socket.send(chunk as Buffer, () => resolve()));
    } catch {
      // The command has ended before its input.
      return;
    }
    this.say({ type: 'end' });
  }

  private take(data: RawData, isBinary: boolean): void {
    const message = data as Buffer;
    if (!isBinary) {
      const said = ExecEnd.safeParse(JSON.parse(message.toString()));
      if (said.success) this.end = said.data;
      return;
    }
    const { stdout, stderr } = this.cli.output;
    const target = message[0] === EXEC_CHANNEL_BYTES.stderr ? stderr : stdout;
    if (!target.write(message.subarray(1))) this.waitFor(target);
  }

  /** No more is read until it has room. What was read already still comes. */
  private waitFor(target: NodeJS.WriteStream): void {
    if (this.full.has(target)) return;
    this.full.add(target);
    this.socket.pause();
    target.once('drain', () => {
      this.full.delete(target);
      if (this.full.size === 0) this.socket.resume();
    });
  }
}
