import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  freePort,
  inheritedEnvironment,
  lastLines,
  newSecret,
  runCommand,
  runningProcess,
  startDetached,
  waitUntil,
} from '@berth/host';
import { runFolder } from './env.js';
import { startOnce } from './parts.js';

/** Where objects can be put by the S3 API, and as whom. */
export interface ObjectStorageAddress {
  /** http://host:port */
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const PYTHON = '/usr/bin/python3';
const KINDS = ['account', 'container', 'object'] as const;

/** The rings of a Swift that is one disk on one machine. */
const MAKE_RINGS = `
import sys
from swift.common.ring import RingBuilder
for argument in sys.argv[2:]:
    kind, port = argument.split('=')
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': int(port),
                     'device': 'disk', 'weight': 1, 'meta': ''})
    builder.rebalance()
    builder.get_ring().save('%s/%s.ring.gz' % (sys.argv[1], kind))
`;
const SERVE = `
import sys
from swift.common import utils
utils.set_swift_dir(sys.argv[1])
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi('%s/%s-server.conf' % (sys.argv[1], sys.argv[2]), sys.argv[2] + '-server'))
`;

/** The one object storage of this run: OpenStack Swift with its S3 API. */
export function objectStorage(): Promise<ObjectStorageAddress> {
  return startOnce('object-storage', async () => {
    const folder = join(runFolder(), 'swift');
    mkdirSync(join(folder, 'data', 'disk'), { recursive: true });
    const ports = { account: await freePort(), container: await freePort(), object: await freePort() };
    const proxy = await freePort();
    const secretAccessKey = newSecret();
    const write = (name: string, lines: string): void =>
      writeFileSync(join(folder, name), lines, { mode: 0o600 });
    write(
      'swift.conf',
      `[swift-hash]\nswift_hash_path_suffix = ${newSecret()}\n[storage-policy:0]\nname = one\ndefault = yes\n`,
    );
    for (const kind of KINDS) write(`${kind}-server.conf`, storageServer(folder, kind, ports[kind]));
    write('proxy-server.conf', proxyServer(folder, proxy, secretAccessKey));
    const places = KINDS.map((kind) => `${kind}=${ports[kind]}`);
    await runCommand(PYTHON, ['-c', MAKE_RINGS, folder, ...places]);
    for (const kind of [...KINDS, 'proxy']) serve(folder, kind);
    const address = {
      endpoint: `http://127.0.0.1:${proxy}`,
      region: 'us-east-1',
      accessKeyId: 'berth:registry',
      secretAccessKey,
    };
    const ready = (): Promise<boolean> =>
      fetch(`${address.endpoint}/info`).then(
        ({ ok }) => ok,
        () => false,
      );
    if (!(await waitUntil(ready, 30_000)) || !runningProcess(pidFile('proxy')))
      throw new Error(`Swift did not start:\n${lastLines(logFile('proxy'))}`);
    return address;
  });
}

/** Makes an empty bucket. */
export async function makeBucket(name: string): Promise<ObjectStorageAddress> {
  const address = await objectStorage();
  const { endpoint, region, ...credentials } = address;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  // The servers behind the first one may not be there yet.
  let last: unknown;
  const made = async (): Promise<boolean> => {
    try {
      await client.send(new CreateBucketCommand({ Bucket: name }));
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  };
  if (!(await waitUntil(made, 20_000))) throw last;
  client.destroy();
  return address;
}

function serve(folder: string, kind: string): void {
  startDetached({
    file: PYTHON,
    args: ['-c', SERVE, folder, kind],
    env: inheritedEnvironment(),
    pidFile: pidFile(kind),
    logFile: logFile(kind),
  });
}

function pidFile(kind: string): string {
  return join(runFolder(), 'pids', `swift-${kind}.pid`);
}

function logFile(kind: string): string {
  return join(runFolder(), 'log', `swift-${kind}.log`);
}

function defaults(folder: string, port: number): string {
  // No workers: the process that is ended is the one that serves.
  return `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nuser = ${userInfo().username}\nswift_dir = ${folder}\nworkers = 0\nlog_level = ERROR\n`;
}

function storageServer(folder: string, kind: string, port: number): string {
  return `${defaults(folder, port)}devices = ${join(folder, 'data')}\nmount_check = false
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;
}

function proxyServer(folder: string, port: number, secret: string): string {
  const filters = ['catch_errors', 'cache', 'listing_formats', 's3api', 'tempauth', 'copy', 'slo', 'dlo'];
  const settings: Record<string, string> = {
    // None: what it would remember for a minute is looked up.
    cache: 'memcache_servers = 127.0.0.1:1',
    s3api: 'location = us-east-1',
    tempauth: `user_berth_registry = ${secret} .admin`,
  };
  const uses: Record<string, string> = { cache: 'memcache' };
  return `${defaults(folder, port)}[pipeline:main]
pipeline = ${filters.join(' ')} proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
${filters.map((name) => `[filter:${name}]\nuse = egg:swift#${uses[name] ?? name}\n${settings[name] ?? ''}\n`).join('')}`;
}
