import type { HostSettings } from './env.js';
import type { Home } from './home.js';
import { bringUp } from './platform.js';
import { newSecretsKey, readSecrets, saveSecrets } from './secrets.js';
import type { Progress } from './services.js';

/**
 * Replaces the key that the secrets of environments are encrypted with. The scheduler re-wraps all of them before it is
 * ready; only then is the old key dropped. Doing it again after it was cut short goes on where it was. Throws when no
 * platform was started here.
 */
export async function rekey(home: Home, settings: HostSettings, progress: Progress): Promise<void> {
  const secrets = readSecrets(home);
  if (!secrets?.adminTokenSha256 || !secrets.secretsKey)
    throw new Error(`No platform was started from ${settings.home}. Start one: ./berth up`);
  if (secrets.oldSecretsKey === undefined) {
    secrets.oldSecretsKey = secrets.secretsKey;
    secrets.secretsKey = newSecretsKey();
    // Before anything uses it: what is encrypted with a key that nobody has is lost.
    saveSecrets(home, secrets);
    progress('made a new key');
  } else progress('a re-key was cut short: going on with it');
  await bringUp(home, settings, { progress });
  progress('all secrets are under the new key');

  const both = readSecrets(home) ?? secrets;
  const { oldSecretsKey: _old, ...rest } = both;
  saveSecrets(home, rest);
  try {
    await bringUp(home, settings, { progress });
  } catch (error) {
    // Whatever it was: with both keys all can be read.
    saveSecrets(home, both);
    throw error;
  }
  progress('dropped the old key');
}
