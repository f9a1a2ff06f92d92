// A real provider of OpenID Connect on a port of its own, told what to do by its parent. It answers as its people are at the moment.
import { createServer } from 'node:http';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import Provider from 'oidc-provider';

const KEY_ID = 'first';
const [known, foreign] = await Promise.all([0, 1].map(() => generateKeyPair('RS256', { extractable: true })));
const people = new Map();
let deviceCodeSeconds = 600;
/** What the token endpoint is to answer falsely: nothing when null. */
let deceit = null;

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'berth',
      client_secret: 'a-secret-of-the-client',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  cookies: { keys: ['of-a-test'] },
  features: { deviceFlow: { enabled: true } },
  jwks: { keys: [{ ...(await exportJWK(known.privateKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' }] },
  ttl: {
    DeviceCode: () => deviceCodeSeconds,
    AccessToken: 60,
    IdToken: 60,
    Interaction: 600,
    Session: 600,
    Grant: 600,
  },
  findAccount: (_context, sub) =>
    people.has(sub) ? { accountId: sub, claims: () => ({ sub, ...people.get(sub) }) } : undefined,
});

const forge = (token, changes, key = known) =>
  new SignJWT({ ...decodeJwt(token), ...changes })
    .setProtectedHeader({ alg: 'RS256', kid: KEY_ID })
    .sign(key.privateKey);
const DECEITS = {
  signature: (token) => forge(token, {}, foreign),
  audience: (token) => forge(token, { aud: 'somebody-else' }),
  issuer: (token) => forge(token, { iss: 'https://elsewhere.example' }),
  expired: (token) => forge(token, { iat: 1_000_000_000, exp: 1_000_000_060 }),
};
provider.use(async (context, next) => {
  if (context.path === '/token' && deceit === 'slow_down') {
    context.status = 400;
    context.body = { error: 'slow_down' };
    return;
  }
  await next();
  if (context.path === '/token' && context.body?.id_token && DECEITS[deceit]) {
    context.body = { ...context.body, id_token: await DECEITS[deceit](context.body.id_token) };
  }
});
server.on('request', provider.callback());

process.on('message', (told) => {
  if (told.person) people.set(told.person.sub, told.person.claims);
  if ('deviceCodeSeconds' in told) deviceCodeSeconds = told.deviceCodeSeconds;
  if ('deceit' in told) deceit = told.deceit;
  process.send({ heard: true });
});
// It ends with its parent.
process.on('disconnect', () => process.exit());
process.send({ issuer });
