/** How people log in by an identity provider. Empty: as the policy service has it by itself. */
export const LOGIN_SETTINGS = [
  'BERTH_OIDC_ISSUER',
  'BERTH_OIDC_CLIENT_ID',
  'BERTH_OIDC_CLIENT_SECRET',
  'BERTH_OIDC_SCOPES',
  'BERTH_OIDC_NAME_CLAIM',
  'BERTH_OIDC_GROUPS_CLAIM',
  'BERTH_LOGIN_HOURS',
] as const;

export type LoginSettings = Partial<Record<(typeof LOGIN_SETTINGS)[number], string>>;

/** Those that were set: the policy service checks them at its start. */
export function readLoginSettings(env: NodeJS.ProcessEnv): LoginSettings {
  return Object.fromEntries(LOGIN_SETTINGS.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
