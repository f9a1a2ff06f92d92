import { BerthError } from '@berth/contracts';
import type { RunResource, RunSpec } from '../compose/index.js';
import type { ContainerEngine, Rollout } from '../engine/container-engine.js';
import { passwordSecret, userOf } from './declared-resource.js';
import { ownSecret } from './entry-service.js';

/** Resources that come up with a rollout: their first users are made once they run. */
export function added(previous: RunSpec | null, { resources }: RunSpec): RunResource[] {
  return Object.values(resources).filter(({ name }) => !Object.hasOwn(previous?.resources ?? {}, name));
}

/** Resources that run and get new credentials: the new users have to be there before whoever comes with them. */
export function rotated(previous: RunSpec | null, { resources }: RunSpec): RunResource[] {
  const before = previous?.resources ?? {};
  return Object.values(resources).filter(
    ({ name, credential }) => Object.hasOwn(before, name) && before[name].credential !== credential,
  );
}

/** Makes the users that services come as. Idempotent. Throws CONFLICT with what the resource says. */
export async function addUsers(
  engine: ContainerEngine,
  rollout: Rollout,
  resources: readonly RunResource[],
): Promise<void> {
  for (const resource of resources) await run(engine, rollout, resource, 'add_user', resource.credential);
}

/** Ends the users of credentials that were replaced: with the last service that came as them. */
export async function removeUsers(
  engine: ContainerEngine,
  rollout: Rollout,
  previous: RunSpec | null,
): Promise<void> {
  for (const resource of rotated(previous, rollout.spec)) {
    const before = previous?.resources[resource.name].credential ?? resource.credential;
    for (let old = before; old < resource.credential; old++)
      await run(engine, rollout, resource, 'remove_user', old);
  }
}

async function run(
  engine: ContainerEngine,
  rollout: Rollout,
  resource: RunResource,
  command: 'add_user' | 'remove_user',
  credential: number,
): Promise<void> {
  const { target } = rollout;
  const environment = await commandEnvironment(rollout, resource, credential);
  const script = resource.commands[command];
  const { exitCode, errors } = await engine.command(target, { service: resource.name, script, environment });
  if (exitCode === 0) return;
  const what = command === 'add_user' ? 'take new credentials' : 'let go of old credentials';
  throw new BerthError(
    'CONFLICT',
    `The resource "${resource.name}" did not ${what}: ${errors || `exit code ${exitCode}`}`,
  );
}

/** What the commands of an entry are run with. */
export async function commandEnvironment(
  { secret, spec }: Pick<Rollout, 'secret' | 'spec'>,
  { name, port, secrets, credential: current }: RunResource,
  credential = current,
): Promise<Record<string, string>> {
  const own = secrets.map(async (each) => {
    const full = ownSecret(name, each);
    return [each.toUpperCase(), (await secret(full, spec.secrets[full])).toString('utf8')] as const;
  });
  const password = credential === current ? await secret(passwordSecret(name), credential) : Buffer.alloc(0);
  return {
    ...Object.fromEntries(await Promise.all(own)),
    ...{ NAME: name, PORT: String(port) },
    ...{ USERNAME: userOf(credential), PASSWORD: password.toString('utf8') },
  };
}
