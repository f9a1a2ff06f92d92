import { existsSync } from 'node:fs';
import { bringDown, Home, type HostSettings } from '@berth/host';
import type { Console } from './console.js';

/** `berth down`: stops what `up` started, and only that. Data, images and guests' definitions stay. */
export async function down(settings: HostSettings, console: Console): Promise<void> {
  const home = new Home(settings.home);
  const stopped = existsSync(home.secrets) ? await home.exclusively(() => bringDown(home, settings)) : [];
  console.tell(
    stopped.length > 0
      ? `Stopped: ${stopped.join(', ')}. Data stays in ${home.folder}; ./berth up starts all of it again.`
      : 'Nothing was running.',
  );
  console.result({ stopped });
}
