import { debianLayer } from './debian-layer.js';
import { buildTestImage, type TestImage } from './image.js';
import { folderLayer } from './image-layers.js';
import { startOnce } from './parts.js';

interface Recipe {
  /** Tag that stands for what Debian has. */
  tag: string;
  packages: string[];
  /** Its user, as the image on Docker Hub calls it; uid 999 as there. */
  user: string | null;
  folders: string[];
  path: string;
  env?: Record<string, string>;
  /** What the image on Docker Hub does before it starts the server, as far as the catalog's entry relies on it. */
  entrypoint: string;
  cmd: string[];
}

const UID = 999;

const RECIPES = {
  postgres: {
    tag: '15',
    packages: ['postgresql-15', 'postgresql-client-15'],
    user: 'postgres',
    folders: ['/var/lib/postgresql/data', '/var/run/postgresql'],
    path: '/usr/lib/postgresql/15/bin:/bin:/usr/bin',
    entrypoint: `
      if [ ! -s "$PGDATA/PG_VERSION" ]; then
        mkdir -p "$PGDATA" && chmod 700 "$PGDATA"
        initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust \\
          --auth-host=scram-sha-256 --locale=C --encoding=UTF8 > /dev/null
        pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -s -w start
        createdb --username=postgres "$POSTGRES_DB"
        pg_ctl -D "$PGDATA" -s -m fast -w stop
        echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
      fi
      exec "$@"`,
    cmd: ['postgres', '-c', 'listen_addresses=*'],
  },
  redis: {
    tag: '7',
    packages: ['redis-server'],
    user: 'redis',
    folders: ['/data'],
    path: '/bin:/usr/bin',
    entrypoint: 'exec "$@"',
    cmd: ['redis-server'],
  },
  nats: {
    tag: '2.10-alpine',
    packages: ['nats-server'],
    user: null,
    folders: [],
    path: '/bin:/usr/sbin',
    entrypoint: 'exec "$@"',
    cmd: ['nats-server'],
  },
  mariadb: {
    tag: '10.11',
    packages: ['mariadb-server', 'mariadb-client'],
    user: 'mysql',
    folders: ['/var/lib/mysql', '/run/mysqld'],
    path: '/bin:/usr/bin:/usr/sbin',
    entrypoint: `
      socket=/run/mysqld/mysqld.sock
      if [ ! -d /var/lib/mysql/mysql ]; then
        mariadb-install-db --auth-root-authentication-method=normal --skip-test-db > /dev/null
        mariadbd --skip-networking --socket=$socket &
        until mariadb-admin --socket=$socket ping --silent 2> /dev/null; do sleep 0.1; done
        mariadb --user=root --execute="CREATE DATABASE $MARIADB_DATABASE; ALTER USER root@localhost IDENTIFIED BY '$(cat $MARIADB_ROOT_PASSWORD_FILE)'"
        kill %1 && wait
      fi
      exec "$@"`,
    cmd: ['mariadbd', '--socket=/run/mysqld/mysqld.sock', '--bind-address=0.0.0.0'],
  },
  rabbitmq: {
    tag: '3.13',
    packages: ['rabbitmq-server'],
    user: 'rabbitmq',
    folders: ['/var/lib/rabbitmq', '/var/lib/rabbitmq/mnesia', '/var/log/rabbitmq'],
    path: '/usr/lib/rabbitmq/bin:/bin:/usr/bin',
    env: { HOME: '/var/lib/rabbitmq', RABBITMQ_LOGS: '-', LANG: 'C.UTF-8' },
    entrypoint: 'exec "$@"',
    cmd: ['rabbitmq-server'],
  },
} as const satisfies Record<string, Recipe>;

/** What a registry says of an image. */
export type PulledImage = Pick<TestImage, 'reference' | 'repository' | 'digest' | 'mediaType'>;

export type ResourceImage = keyof typeof RECIPES;

/**
 * The image of an entry of the catalog, made of Debian's packages: the same program behind the same doors as the image on
 * Docker Hub, which tests cannot reach. Built once in a run. With another tag: another image, of the same program.
 */
export function buildResourceImage(name: ResourceImage, as?: string): Promise<PulledImage> {
  return startOnce(`image-${name}${as === undefined ? '' : `-${as}`}`, async () => {
    const { packages, user, folders, path, env, entrypoint, cmd }: Recipe = RECIPES[name];
    const tag = as ?? RECIPES[name].tag;
    const layers = [
      await debianLayer(...packages),
      await folderLayer([
        ...folders.map((folder) => ({ path: folder, uid: UID })),
        { path: '/var/tmp', uid: 0, mode: 0o1777 },
      ]),
    ];
    const account = user ?? 'app';
    const { reference, repository, digest, mediaType } = await buildTestImage({
      ...{
        name,
        tag,
        layers,
        cmd,
        entrypoint: ['/docker-entrypoint.sh'],
        env: { ...env, PATH: path, ...(as === undefined ? {} : { IMAGE_TAG: as }) },
        user: '',
      },
      files: {
        '/docker-entrypoint.sh': { content: `#!/bin/sh\nset -e\n${entrypoint}\n`, mode: 0o755 },
        '/etc/passwd': `root:x:0:0:root:/:/bin/sh\n${account}:x:${UID}:${UID}::/tmp:/bin/sh\n`,
        '/etc/group': `root:x:0:\n${account}:x:${UID}:\n`,
      },
    });
    return { reference, repository, digest, mediaType };
  });
}
