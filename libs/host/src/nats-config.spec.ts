import { renderNatsConfig } from './nats-config.js';
import { NATS_USERS, natsPermissions, type NatsUser } from './nats-permissions.js';

const passwords = Object.fromEntries(NATS_USERS.map((user) => [user, `secret-of-${user}`])) as Record<
  NatsUser,
  string
>;
const config = renderNatsConfig({ port: 4410, storeFolder: '/state/nats/jetstream', passwords });

describe('the configuration of NATS', () => {
  it('listens on loopback only, and opens no monitoring port', () => {
    expect(config).toMatch(/^host: "127\.0\.0\.1"$/m);
    expect(config).not.toMatch(/http/);
  });

  it.each(NATS_USERS)('has a password for %s', (user) => {
    expect(config).toContain(`password: "secret-of-${user}"`);
  });

  it('has no user without permissions', () => {
    expect(config.match(/permissions \{/g)).toHaveLength(NATS_USERS.length);
  });
});

it('lets whoever answers a hook hear that one, and nothing else', () => {
  const integrators = { tickets: 'secret-of-tickets' };
  const added = renderNatsConfig({
    port: 4410,
    storeFolder: '/state/nats/jetstream',
    passwords,
    integrators,
  });
  const user = added.slice(added.indexOf('user: "hook-tickets"'));
  expect(user).toContain('password: "secret-of-tickets"');
  expect(user).toContain('publish: { allow: [] }');
  expect(user).toContain('subscribe: { allow: ["berth.hooks.tickets","_INBOX_hook-tickets.>"] }');
});

describe('the table of permissions', () => {
  it.each([
    ['policy', ['quota']],
    ['quota', ['policy', 'registry-proxy']],
    ['audit', ['policy']],
    ['scheduler', ['policy', 'quota', 'registry-proxy']],
    ['registry-proxy', ['policy', 'quota', 'scheduler']],
    ['observer', []],
  ] as const)('lets %s call %j and nobody else', (user, called) => {
    const calls = natsPermissions(user).publish.filter((subject) => subject.startsWith('berth.rpc.'));
    expect(calls).toEqual(called.map((service) => `berth.rpc.${service}.>`));
  });

  it('lets what goes into a stream reach the scheduler alone, from the gateway alone', () => {
    const reading = NATS_USERS.filter((user) =>
      natsPermissions(user).subscribe.some((subject) => /^berth\.streams\.(>|\*\.input)$/.test(subject)),
    );
    const writing = NATS_USERS.filter((user) =>
      natsPermissions(user).publish.some((subject) => /^berth\.streams\.(>|\*\.input)$/.test(subject)),
    );
    expect([reading, writing]).toEqual([['scheduler'], ['gateway']]);
  });

  it('lets nobody subscribe to all, nor publish to all', () => {
    for (const user of NATS_USERS) {
      const { publish, subscribe } = natsPermissions(user);
      for (const subject of [...publish, ...subscribe])
        expect(subject).toMatch(/^(berth\.|_INBOX|\$JS\.|\$KV\.)\S+$/);
    }
  });

  it('has no half wildcard, which NATS would take for a name', () => {
    for (const user of NATS_USERS) {
      const { publish, subscribe } = natsPermissions(user);
      for (const token of [...publish, ...subscribe].flatMap((subject) => subject.split('.'))) {
        expect(token).toMatch(/^(\*|>|[^*>]+)$/);
      }
    }
  });
});
