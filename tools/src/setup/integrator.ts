import { addIntegrator, Home, type HostSettings, readSecrets, removeIntegrator } from '@berth/host';
import { SetupError, type Console } from './console.js';

const USAGE = './berth integrator ls | add <hook> | rm <hook>';
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** `berth integrator`: who may answer which hook over NATS, each with credentials of its own. */
export async function integrator(
  [verb = 'ls', hook, ...more]: readonly string[],
  settings: HostSettings,
  console: Console,
): Promise<void> {
  const home = new Home(settings.home);
  if ((verb === 'ls') !== (hook === undefined) || more.length > 0) throw new SetupError(USAGE);
  if (hook !== undefined && !NAME.test(hook)) throw new SetupError(`"${hook}" is no name of a hook.`);
  await home.exclusively(async () => {
    const secrets = readSecrets(home);
    if (!secrets)
      throw new SetupError(`No platform was started from ${settings.home}. Start one: ./berth up`);
    if (hook === undefined) {
      const hooks = Object.keys(secrets.integrators ?? {}).sort();
      for (const name of hooks) console.tell(name);
      return console.result({ hooks });
    }
    if (verb === 'add') {
      const access = await addIntegrator(home, settings, { secrets, hook });
      for (const [name, value] of Object.entries(access)) console.tell(`${name.padEnd(9)} ${value}`);
      return console.result(access);
    }
    if (verb !== 'rm') throw new SetupError(USAGE);
    if (!(await removeIntegrator(home, settings, { secrets, hook })))
      throw new SetupError(`Nobody was let in to answer the hook "${hook}".`);
    console.tell(`Whoever answered the hook "${hook}" is not let in any more.`);
    console.result({ removed: hook });
  });
}
