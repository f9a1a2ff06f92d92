import { runFolder } from './env.js';
import { busyboxLayer, makeLayer, sha256, type ImageFile, type Layer } from './image-layers.js';
import { upstreamRegistry } from './parts.js';
import { RUN_LABEL, runId } from './run.js';

export interface TestImageOptions {
  /** As in Compose: `hello`, which is `library/hello` on Docker Hub, or `acme/hello`. */
  name: string;
  /** `1` when left out. */
  tag?: string;
  /** Files beside busybox, by absolute path. */
  files?: Record<string, ImageFile>;
  cmd?: string[];
  entrypoint?: string[];
  env?: Record<string, string>;
  user?: string;
  workingDir?: string;
  labels?: Record<string, string>;
  /** Such as `8080/tcp`. */
  ports?: string[];
  /** Go's name: `amd64` when left out on an x86 machine. Any other makes an image that does not run here. */
  architecture?: string;
  /** Between busybox and `files`. */
  layers?: Layer[];
  /** False makes an image without a shell or anything else but `files`. */
  busybox?: boolean;
}

export interface TestImage {
  /** Without registry and tag: `library/hello`. */
  repository: string;
  tag: string;
  /** As a Compose file names it: `hello:1`. */
  reference: string;
  /** Digest of the manifest. */
  digest: string;
  mediaType: string;
  manifest: string;
  config: { digest: string; content: Buffer };
  layers: Layer[];
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** Makes an image out of nothing and puts it into the run's upstream registry. Takes no container engine. */
export async function buildTestImage(options: TestImageOptions): Promise<TestImage> {
  const image = await makeImage(options);
  await pushImage(image, (await upstreamRegistry()).url);
  return image;
}

/** Makes an image without putting it anywhere. */
export async function makeImage(options: TestImageOptions): Promise<TestImage> {
  const layers = options.busybox === false ? [] : [await busyboxLayer()];
  layers.push(...(options.layers ?? []));
  if (options.files || layers.length === 0) layers.push(await makeLayer(options.files ?? {}));
  const content = Buffer.from(JSON.stringify(configuration(options, layers)));
  const config = { digest: sha256(content), content };
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: content.length,
      digest: config.digest,
    },
    layers: layers.map((layer) => ({
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      size: layer.content.length,
      digest: layer.digest,
    })),
  });
  const { name, tag = '1' } = options;
  return {
    repository: name.includes('/') ? name : `library/${name}`,
    tag,
    reference: `${name}:${tag}`,
    digest: sha256(manifest),
    mediaType: MANIFEST,
    ...{ manifest, config, layers },
  };
}

export interface PushTarget {
  /** Another repository than the image's own. */
  repository?: string;
  tag?: string;
  /** Value of the Authorization header. */
  authorization?: string;
}

/** Pushes an image as a registry client does (OCI distribution spec, Pushing). Throws with the registry's answer. */
export async function pushImage(
  image: TestImage,
  registryUrl: string,
  target: PushTarget = {},
): Promise<void> {
  const base = `${registryUrl}/v2/${target.repository ?? image.repository}`;
  const headers: Record<string, string> = target.authorization ? { authorization: target.authorization } : {};
  for (const { digest, content } of [...image.layers, image.config]) {
    const found = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD', headers });
    if (found.ok) continue;
    const begun = await expectOk(await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers }));
    const location = new URL(begun.headers.get('location') ?? '', base);
    location.searchParams.set('digest', digest);
    const type = { 'content-type': 'application/octet-stream' };
    await expectOk(
      await fetch(location, {
        method: 'PUT',
        headers: { ...headers, ...type },
        body: new Uint8Array(content),
      }),
    );
  }
  await expectOk(
    await fetch(`${base}/manifests/${target.tag ?? image.tag}`, {
      method: 'PUT',
      headers: { ...headers, 'content-type': image.mediaType },
      body: image.manifest,
    }),
  );
}

/** The image's configuration (OCI image spec, config.md). Its labels let the run find what the engine pulled of it. */
function configuration(options: TestImageOptions, layers: Layer[]): object {
  const variables = { PATH: '/bin', ...options.env };
  return {
    created: '1970-01-01T00:00:00Z',
    architecture: options.architecture ?? ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      Cmd: options.cmd,
      Entrypoint: options.entrypoint,
      User: options.user ?? '1000:1000',
      WorkingDir: options.workingDir ?? '/',
      ExposedPorts: options.ports && Object.fromEntries(options.ports.map((port) => [port, {}])),
      Labels: { ...options.labels, [RUN_LABEL]: runId(runFolder()) },
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  };
}

async function expectOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new Error(`${response.url} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
}
