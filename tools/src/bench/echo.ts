import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const PROGRAM = `
const { connect } = require('@nats-io/transport-node');
const { NATS_URL, NATS_USER, NATS_PASSWORD, SUBJECT, ANSWER } = process.env;
connect({ servers: NATS_URL, user: NATS_USER, pass: NATS_PASSWORD, inboxPrefix: '_INBOX_' + NATS_USER }).then((connection) => {
  connection.subscribe(SUBJECT, { callback: (_error, message) => void message.respond(ANSWER) });
  return connection.flush();
}).then(() => process.send('ready'));`;

/**
 * A process that answers each request on a subject with the same words, and does nothing else: what the bus, the load generator and the
 * machine's scheduler take by themselves.
 */
export class Echo {
  private constructor(private readonly child: ChildProcess) {}

  static async start(subject: string, answer: string, nats: Record<string, string>): Promise<Echo> {
    const child = spawn(process.execPath, ['-e', PROGRAM], {
      cwd: __dirname,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...nats, SUBJECT: subject, ANSWER: answer },
    });
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('no echo'))),
    ]);
    return new Echo(child);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}
