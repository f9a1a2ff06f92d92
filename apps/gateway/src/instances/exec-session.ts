import type { NatsConnection } from '@nats-io/transport-node';
import {
  BerthError,
  EXEC_CHANNEL_BYTES,
  ExecChannel,
  ExecEnd,
  ExecRequest,
  streamInputSubject,
  streamSubject,
} from '@berth/contracts';
import { Pipe } from '@berth/messaging';
import { correlationId } from '@berth/runtime';
import type { RawData, WebSocket } from 'ws';

/** For what lies between, which may end an idle connection. A client that reads slowly need not answer. */
const PING_MS = 15_000;
/** RFC 6455, 7.4.1. */
const CLOSE = { done: 1000, unsupported: 1003, failed: 1011 } as const;

/** Between the WebSocket of a client and the scheduler that runs its command. */
export class ExecSession {
  private attach: (socket: WebSocket | null) => void = () => undefined;
  /** Null when there will be none. */
  private readonly socket = new Promise<WebSocket | null>((resolve) => (this.attach = resolve));
  private readonly pipe: Pipe;
  private incoming: Promise<void> = Promise.resolve();
  private ended = false;
  private readonly correlationId = correlationId();

  /** Listens; the scheduler may be asked after that. */
  constructor(connection: NatsConnection, stream: string) {
    const subjects = { send: streamInputSubject(stream), receive: streamSubject(stream) };
    this.pipe = new Pipe(connection, subjects, {
      data: (channel, data) => this.pass(ExecChannel.parse(channel), data),
      note: (note) => this.end(ExecEnd.parse(note)),
      broken: () => this.fail(schedulerGone()),
    });
  }

  open(socket: WebSocket, onClose: () => void): void {
    const pinging = setInterval(() => socket.ping(), PING_MS);
    socket.on('message', (data, isBinary) => this.receive(socket, data, isBinary));
    // What is wrong with it is told to the client by its code of closing.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearInterval(pinging);
      this.leave();
      onClose();
    });
    this.attach(socket);
  }

  /** Nothing of it is wanted any more. */
  leave(): void {
    this.ended = true;
    this.pipe.leave();
    this.attach(null);
  }

  fail(error: BerthError, code: number = CLOSE.failed): void {
    void this.end({ type: 'error', problem: error.toProblem(this.correlationId) }, code);
  }

  private async end(
    end: ExecEnd,
    code: number = end.type === 'exit' ? CLOSE.done : CLOSE.failed,
  ): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    this.pipe.leave();
    const socket = await this.socket;
    socket?.send(JSON.stringify(end));
    socket?.close(code);
  }

  /** Resolves when the client's side has taken it. */
  private async pass(channel: ExecChannel, data: Buffer): Promise<void> {
    const socket = await this.socket;
    const message = Buffer.concat([Buffer.of(EXEC_CHANNEL_BYTES[channel]), data]);
    await new Promise<void>((resolve) => (socket ? socket.send(message, () => resolve()) : resolve()));
  }

  /** One after the other; until they are on their way, no more is read. */
  private receive(socket: WebSocket, data: RawData, isBinary: boolean): void {
    socket.pause();
    const message = Buffer.isBuffer(data)
      ? data
      : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    const taken = this.incoming.then(() =>
      isBinary ? this.pipe.send('stdin', message) : this.obey(message.toString()),
    );
    this.incoming = taken;
    void taken.then(() => {
      if (this.incoming === taken) socket.resume();
    });
  }

  private obey(text: string): void {
    const parsed = ExecRequest.safeParse(jsonOf(text));
    if (parsed.success) return this.pipe.note(parsed.data);
    const what = 'A text message is JSON, {"type":"resize","columns":…,"rows":…} or {"type":"end"}.';
    this.fail(new BerthError('VALIDATION_FAILED', what), CLOSE.unsupported);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function schedulerGone(): BerthError {
  return new BerthError(
    'SERVICE_UNAVAILABLE',
    'The scheduler that ran this command is gone. The command may go on in its instance, without input.',
  );
}
