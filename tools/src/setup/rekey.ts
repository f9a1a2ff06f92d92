import { Home, rekey as rekeySecrets, type HostSettings } from '@berth/host';
import type { Console } from './console.js';

/** `berth rekey`: a new key for the secrets of all environments. What runs is not touched. */
export async function rekey(settings: HostSettings, console: Console): Promise<void> {
  const home = new Home(settings.home);
  await home.exclusively(() => rekeySecrets(home, settings, console.progress));
  console.tell(`The secrets of all environments are encrypted with a new key; it is in ${home.secrets}.`);
  console.result({ rekeyed: true });
}
