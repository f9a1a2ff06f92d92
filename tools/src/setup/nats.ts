import { Home, natsUrl, readSecrets, resolvePorts, type HostSettings } from '@berth/host';
import { SetupError, type Console } from './console.js';

/** `berth nats`: how another system listens to events. Its credentials may do that and nothing else. */
export async function nats(settings: HostSettings, console: Console): Promise<void> {
  const secrets = readSecrets(new Home(settings.home));
  if (!secrets) {
    throw new SetupError(`No platform was started from ${settings.home}. Start one: ./berth up`);
  }
  const access = {
    url: natsUrl(await resolvePorts(settings.ports, secrets.ports)),
    user: 'observer',
    password: secrets.nats.observer,
    subject: 'berth.events.>',
    stream: 'EVENTS',
  };
  for (const [name, value] of Object.entries(access)) console.tell(`${name.padEnd(9)} ${value}`);
  console.result(access);
}
