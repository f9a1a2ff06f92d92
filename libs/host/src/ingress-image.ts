import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryFiles, layOut } from './busybox.js';
import { findCommand, runCommand, tryCommand } from './command.js';
import { dockerEnvironment } from './engine.js';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * The image of the way in, made of the machine's own Caddy and named by its hash, so that it is made once. Answers its
 * name; undefined where the machine has no Caddy.
 */
export async function ingressImage(dockerHost: string): Promise<string | undefined> {
  const caddy = findCommand('caddy');
  if (!caddy) return undefined;
  const env = dockerEnvironment(dockerHost);
  const hash = createHash('sha256').update(readFileSync(caddy)).digest('hex').slice(0, 12);
  const image = `berth-caddy:${hash}`;
  if ((await tryCommand('docker', ['image', 'inspect', image], { env })).code === 0) return image;
  const context = mkdtempSync(join(tmpdir(), 'berth-caddy-'));
  try {
    layOut(await binaryFiles(caddy, '/usr/bin/caddy'), join(context, 'root'));
    if (existsSync(CERTIFICATES)) copyFileSync(CERTIFICATES, join(context, 'ca.crt'));
    else writeFileSync(join(context, 'ca.crt'), '');
    writeFileSync(
      join(context, 'Dockerfile'),
      ['FROM scratch', 'COPY root /', `COPY ca.crt ${CERTIFICATES}`, 'ENV PATH=/usr/bin', ''].join('\n'),
    );
    await runCommand('docker', ['build', '--label', 'berth.part=ingress', '--tag', image, context], { env });
    return image;
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}
