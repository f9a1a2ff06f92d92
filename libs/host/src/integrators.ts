import { storeAccount } from './account.js';
import type { HostSettings } from './env.js';
import type { Home } from './home.js';
import { natsAccepts, reloadNats, type NatsServer } from './nats.js';
import { integratorUser } from './nats-permissions.js';
import { resolvePorts } from './ports.js';
import { newSecret, saveSecrets, type Secrets } from './secrets.js';
import { natsUrl } from './service-environment.js';

/** With what one connects who answers a hook over NATS. */
export interface IntegratorAccess {
  url: string;
  user: string;
  password: string;
  subject: string;
}

export function natsServer(home: Home, secrets: Secrets, port: number): NatsServer {
  return {
    ...{ folder: home.nats, port, passwords: secrets.nats, integrators: secrets.integrators },
    ...{ pidFile: home.pidFile('nats'), logFile: home.logFile('nats'), account: storeAccount() },
  };
}

/** Lets one in who answers the hook of this name. Whoever was let in for it before has the same password. */
export async function addIntegrator(
  home: Home,
  settings: HostSettings,
  { secrets, hook }: { secrets: Secrets; hook: string },
): Promise<IntegratorAccess> {
  const { [hook]: password = newSecret() } = secrets.integrators ?? {};
  const user = integratorUser(hook);
  const ports = await resolvePorts(settings.ports, secrets.ports);
  const completed = { ...secrets, integrators: { ...secrets.integrators, [hook]: password } };
  saveSecrets(home, completed);
  await reloadNats(natsServer(home, completed, ports.nats), () => natsAccepts(ports.nats, user, password));
  return { url: natsUrl(ports), user, password, subject: `berth.hooks.${hook}` };
}

/** Whoever was let in for this hook is thrown out, and not let in again. Answers whether there was one. */
export async function removeIntegrator(
  home: Home,
  settings: HostSettings,
  { secrets, hook }: { secrets: Secrets; hook: string },
): Promise<boolean> {
  const { [hook]: password, ...integrators } = secrets.integrators ?? {};
  if (password === undefined) return false;
  const { nats: port } = await resolvePorts(settings.ports, secrets.ports);
  const left = { ...secrets, integrators };
  saveSecrets(home, left);
  const isOut = async (): Promise<boolean> => !(await natsAccepts(port, integratorUser(hook), password));
  await reloadNats(natsServer(home, left, port), isOut);
  return true;
}
