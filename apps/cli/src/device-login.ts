import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { DeviceLogin, DeviceLoginState, LoginMethods, type IssuedToken } from '@berth/contracts';
import { openBrowser } from './browser.js';
import type { Cli } from './cli.js';
import { CliError, EXIT } from './errors.js';
import type { Api } from './http/api.js';

/** Whether people log in by an identity provider there. A gateway from before that says so by refusing. */
export async function hasIdentityProvider(api: Api): Promise<boolean> {
  try {
    return (await api.open('GET', '/v1/login', LoginMethods)).oidc !== null;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.unauthenticated) return false;
    throw error;
  }
}

/** Shows a code, and waits until somebody confirms it in a browser, here or on another machine. */
export async function logInByDevice(cli: Cli, api: Api): Promise<IssuedToken> {
  const login = await api.open('POST', '/v1/login/device', DeviceLogin, {
    client: `berth on ${hostname()}`.slice(0, 80),
  });
  const { verificationUri, verificationUriComplete, userCode } = login;
  const page = verificationUriComplete ?? verificationUri;
  const opened = cli.interactive && (await openBrowser(page, cli.environment));
  cli.output.note(
    opened
      ? `A browser opens at ${verificationUri}. Check that it shows this code: ${userCode}`
      : `Open ${page} in a browser, on any machine, and confirm the code ${userCode}`,
  );
  const minutes = Math.round((Date.parse(login.expiresAt) - Date.now()) / 60_000);
  cli.output.note(`Waiting for that, for ${minutes} minutes at most ...`);
  let { intervalSeconds } = login;
  for (;;) {
    await wait(intervalSeconds * 1_000);
    const state = await poll(api, login);
    if (state?.token) return state.token;
    intervalSeconds = state?.intervalSeconds ?? intervalSeconds;
  }
}

/** Null where nobody can tell for the moment: a login outlasts that, until it expires. */
async function poll(api: Api, { handle, expiresAt }: DeviceLogin): Promise<DeviceLoginState | null> {
  try {
    return await api.open('POST', '/v1/login/device/poll', DeviceLoginState, { handle });
  } catch (error) {
    const passing = error instanceof CliError && error.exitCode === EXIT.unavailable;
    if (!passing || Date.now() > Date.parse(expiresAt)) throw error;
    return null;
  }
}
