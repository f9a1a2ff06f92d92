/** What the registry-proxy is told of an object storage; nothing where blobs are files. */
export type ObjectStoreSettings = Record<string, string>;

const STORE = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[\w./-]+)?$/;

/** `BERTH_STORE` and `BERTH_S3_*`. Throws an Error that names the variable. */
export function readObjectStore(env: NodeJS.ProcessEnv): ObjectStoreSettings {
  const store = env.BERTH_STORE;
  if (!store) return {};
  if (!STORE.test(store)) throw new Error(`BERTH_STORE must be s3://<bucket>[/<prefix>], not "${store}".`);
  const endpoint = env.BERTH_S3_ENDPOINT;
  if (endpoint && !/^https?:\/\/[^/]/.test(endpoint))
    throw new Error(`BERTH_S3_ENDPOINT must be a URL such as https://s3.example.org, not "${endpoint}".`);
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} must be set with BERTH_STORE.`);
    return value;
  };
  const redirect = env.BERTH_S3_REDIRECT;
  if (redirect && !/^(on|off|https?:\/\/[^/].*)$/.test(redirect))
    throw new Error(
      `BERTH_S3_REDIRECT must be on, off or the URL under which clients reach the storage, not "${redirect}".`,
    );
  return {
    REGISTRY_STORE: store,
    ...(endpoint ? { REGISTRY_S3_ENDPOINT: endpoint } : {}),
    ...(env.BERTH_S3_REGION ? { REGISTRY_S3_REGION: env.BERTH_S3_REGION } : {}),
    ...(redirect ? { REGISTRY_S3_REDIRECT: redirect } : {}),
    REGISTRY_S3_ACCESS_KEY_ID: required('BERTH_S3_ACCESS_KEY_ID'),
    REGISTRY_S3_SECRET_ACCESS_KEY: required('BERTH_S3_SECRET_ACCESS_KEY'),
  };
}
