import { Resolver } from 'node:dns/promises';
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs in a container, in the network of a service: every 10 ms asks all that the engine's DNS names by the service's name,
 * and prints each answer when it first comes, with the time. Ends with its input, and so with whoever started it.
 */
const POLL_MS = 10;
const [name, port] = process.argv.slice(2);
// The engine leaves a query for what is not there yet without an answer, and it ends after 250 ms at the earliest (c-ares):
// the next does not wait for it.
const resolver = new Resolver({ timeout: 50, tries: 1 });
resolver.setServers(['127.0.0.11']);
const seen = new Set<string>();

async function main(): Promise<void> {
  process.stdin.resume().on('end', () => process.exit(0));
  process.stdout.write('ready\n');
  for (;;) {
    void look();
    await delay(POLL_MS);
  }
}

async function look(): Promise<void> {
  const addresses = await resolver.resolve4(name).catch(() => []);
  for (const answer of await Promise.all(addresses.map(ask))) {
    if (answer === undefined || seen.has(answer)) continue;
    seen.add(answer);
    process.stdout.write(`${Date.now()} ${answer}\n`);
  }
}

function ask(host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = get({ host, port, path: '/', agent: false, timeout: 300 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode === 200 ? text.trim() : undefined));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
  });
}

void main();
