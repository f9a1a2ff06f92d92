import { buildTestImage } from '@berth/testing';

const script = (text: string) => ({ content: `#!/bin/sh\n${text}\n`, mode: 0o755 });

/** A web service that shows its version and what it fetched from `http://api:8080/` by name, and the service it asks. */
export async function buildWebImages(): Promise<void> {
  const web = (version: string) =>
    buildTestImage({
      name: 'web',
      tag: version,
      files: {
        '/www/cgi-bin/page': script(
          `printf 'Content-Type: text/plain\\r\\n\\r\\n'; echo "web ${version}"; echo "api says: $(wget -q -O - http://api:8080/)"`,
        ),
        '/www/index.html': { content: `web ${version}\n` },
      },
      cmd: ['httpd', '-f', '-p', '8080', '-h', '/www'],
      ports: ['8080/tcp'],
    });
  await web('1');
  await web('2');
  await buildTestImage({
    name: 'web',
    tag: 'crash',
    cmd: ['sh', '-c', 'echo "cannot read the settings: no such table" >&2; exit 3'],
  });
  await buildTestImage({
    name: 'api',
    files: { '/www/index.html': { content: 'hello from api\n' } },
    cmd: ['httpd', '-f', '-p', '8080', '-h', '/www'],
  });
  await buildTestImage({ name: 'elsewhere', architecture: 's390x', cmd: ['true'] });
}

/** The Compose file of the scenarios: `web` on a port of the host, `api` within the environment. */
export function composeFile({
  version = '1',
  extra = '',
}: { version?: string; extra?: string } = {}): string {
  return `
services:
  web:
    image: web:${version}
    ports: ["8080"]
    depends_on: [api]
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"]
      interval: 500ms
      retries: 10
${extra}
  api:
    image: api:1
`;
}
