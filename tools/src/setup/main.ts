import { parseArgs } from 'node:util';
import { readHostSettings } from '@berth/host';
import { Console, SetupError } from './console.js';
import { doctor } from './doctor.js';
import { down } from './down.js';
import { integrator } from './integrator.js';
import { nats } from './nats.js';
import { rekey } from './rekey.js';
import { test } from './test.js';
import { up } from './up.js';

/** The commands about this machine; `./berth` sends everything else to the CLI. Returns the exit code. */
async function main([command, ...rest]: string[]): Promise<number> {
  if (command === 'test') return test(readHostSettings(), rest);
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: command === 'integrator',
    options: {
      json: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      sample: { type: 'boolean', default: false },
      'new-token': { type: 'boolean', default: false },
    },
  });
  const console = new Console(values);
  const settings = readHostSettings();
  switch (command) {
    case 'up':
      await up(settings, { sample: values.sample, newToken: values['new-token'] }, console);
      return 0;
    case 'down':
      await down(settings, console);
      return 0;
    case 'rekey':
      await rekey(settings, console);
      return 0;
    case 'nats':
      await nats(settings, console);
      return 0;
    case 'integrator':
      await integrator(positionals, settings, console);
      return 0;
    case 'doctor':
      return (await doctor(settings, console)) ? 0 : 1;
    default:
      throw new SetupError(`There is no command "${command}". See: ./berth help`);
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error & { code?: string }) => {
    const usage = error.code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`berth: ${error.message}\n`);
    process.exitCode = usage ? 2 : 1;
  },
);
