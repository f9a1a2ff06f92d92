import {
  integratorPermissions,
  integratorUser,
  natsPermissions,
  NATS_USERS,
  type NatsPermissions,
  type NatsUser,
} from './nats-permissions.js';

export interface NatsConfiguration {
  port: number;
  storeFolder: string;
  passwords: Record<NatsUser, string>;
  /** Passwords of those who answer hooks, by the hook's name. */
  integrators?: Readonly<Record<string, string>>;
}

/** 8 MiB: a Compose file or a page of a list never comes near; the server's default of 1 MiB can be reached. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

/** The configuration of nats-server: loopback only, JetStream, one user for each service with its own subjects. */
export function renderNatsConfig(configuration: NatsConfiguration): string {
  const { passwords, integrators = {} } = configuration;
  const users = NATS_USERS.map((user) => renderUser(user, passwords[user], natsPermissions(user)));
  for (const [hook, password] of Object.entries(integrators))
    users.push(renderUser(integratorUser(hook), password, integratorPermissions(hook)));
  return [
    `host: "127.0.0.1"`,
    `port: ${configuration.port}`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    `jetstream { store_dir: ${JSON.stringify(configuration.storeFolder)} }`,
    `authorization {`,
    `  users: [`,
    ...users,
    `  ]`,
    `}`,
    ``,
  ].join('\n');
}

function renderUser(user: string, password: string, { publish, subscribe }: NatsPermissions): string {
  return [
    `    {`,
    `      user: ${JSON.stringify(user)}`,
    `      password: ${JSON.stringify(password)}`,
    `      permissions {`,
    `        publish: { allow: ${JSON.stringify(publish)} }`,
    `        subscribe: { allow: ${JSON.stringify(subscribe)} }`,
    // One reply for each request. Long enough for the slowest answer, an image looked up in a slow upstream.
    ...(user === 'observer' ? [] : [`        allow_responses: { max: 1, expires: "5m" }`]),
    `      }`,
    `    }`,
  ].join('\n');
}
