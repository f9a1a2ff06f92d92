import { StringDecoder } from 'node:string_decoder';
import type Docker from 'dockerode';
import { z } from 'zod';
import { BerthError } from '@berth/contracts';
import type { BuiltFacts, EngineImage, ImageBuild, ImageBuilder, ImageProgress } from '../image-builder.js';
import { callEngine, engineMessage, hasStatus, orUndefined } from './docker-client.js';
import { LABEL } from './labels.js';
import { buildNetworkName } from './names.js';
import type { RegistryCredentials } from './swarm-objects.js';

export interface DockerBuilderOptions {
  installation: string;
  /** host:port of the registry-proxy as the engine sees it. */
  registry: string;
  /** With which the images are pulled that a build starts from. */
  credentials: RegistryCredentials | null;
  /** The bridge of RUN instructions, which the host's rules know by its name; null for no network. */
  bridge: string | null;
}

const PERIOD_US = 100_000;
/** As the engine's own stream has them (API 1.41, "ImageBuild" and "ImagePush"). */
const Message = z.looseObject({
  stream: z.string().optional(),
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.looseObject({ current: z.number().optional() }).optional(),
  aux: z.looseObject({ ID: z.string().optional(), Digest: z.string().optional() }).optional(),
});
type Message = z.infer<typeof Message>;

/** The engine's plain builder (its `/build`, version 1): the one that keeps to limits of memory and processor. */
export class DockerBuilder implements ImageBuilder {
  constructor(
    private readonly docker: Docker,
    private readonly options: DockerBuilderOptions,
  ) {}

  get network(): boolean {
    return this.options.bridge !== null;
  }

  async build(build: ImageBuild, progress: ImageProgress): Promise<EngineImage> {
    const { registry, credentials } = this.options;
    const { cpuMillis, memoryBytes } = build.limits;
    const options = {
      ...{ dockerfile: build.dockerfile, target: build.target, nocache: !build.cache },
      buildargs: JSON.stringify(build.arguments),
      ...{ rm: true, forcerm: true, networkmode: await this.networkOf() },
      ...{ memory: memoryBytes, memswap: memoryBytes },
      ...{ cpuperiod: PERIOD_US, cpuquota: (cpuMillis * PERIOD_US) / 1_000 },
      registryconfig: credentials ? { [registry]: credentials } : {},
    };
    const stream = await this.begin(build.context, options, progress.signal);
    let id: string | null = null;
    for await (const { aux } of messages(stream, progress)) id = aux?.ID ?? id;
    if (id === null) throw failed('the engine did not say which image it made');
    return { id, facts: await this.factsOf(id) };
  }

  async push(
    { id }: EngineImage,
    { repository, tag, token }: { repository: string; tag: string; token: string },
    progress: ImageProgress,
  ): Promise<string> {
    const { registry } = this.options;
    const name = `${registry}/${repository}`;
    const before = await orUndefined(() => this.docker.getImage(`${name}:${tag}`).inspect());
    await callEngine(() => this.docker.getImage(id).tag({ repo: name, tag }));
    const authconfig = { username: 'builder', password: token, serveraddress: registry };
    const image = this.docker.getImage(`${name}:${tag}`);
    const stream = await callEngine(() => image.push({ tag, authconfig, abortSignal: progress.signal }));
    let digest: string | null = null;
    for await (const { aux } of messages(stream, progress)) digest = aux?.Digest ?? digest;
    if (digest === null) throw failed('the engine did not say what it pushed');
    await this.requirePushed(id, name, digest);
    if (before && before.Id !== id) await this.tidy(before.Id, name);
    return digest;
  }

  async discard({ id }: EngineImage): Promise<void> {
    await this.remove(id);
  }

  private async begin(
    context: ImageBuild['context'],
    options: object,
    signal: AbortSignal,
  ): Promise<NodeJS.ReadableStream> {
    // The engine would wait for the rest of a context that breaks off.
    const broken = new AbortController();
    context.once('error', () => broken.abort());
    const abortSignal = AbortSignal.any([signal, broken.signal]);
    try {
      // Without a bound: it begins to answer when it has read the context.
      return await this.docker.buildImage(context, { ...options, abortSignal });
    } catch (error) {
      context.destroy();
      if (hasStatus(error, 400) || hasStatus(error, 500)) throw failed(engineMessage(error));
      return callEngine(() => Promise.reject(error as Error));
    }
  }

  /** Two builds of one tag at once: what was pushed may be the other one's. */
  private async requirePushed(id: string, name: string, digest: string): Promise<void> {
    const { RepoDigests: digests = [] } = await callEngine(() => this.docker.getImage(id).inspect());
    if (!digests.includes(`${name}@${digest}`))
      throw new BerthError('CONFLICT', 'Another build of this tag came in between. Build it again.');
  }

  /** What the tag meant before, and what has been left of images before that while something ran from them. */
  private async tidy(id: string, name: string): Promise<void> {
    const images = await callEngine(() => this.docker.listImages({ filters: { reference: [name] } }));
    const left = images.filter(({ RepoTags: tags }) => !tags?.some((tag) => !tag.startsWith('<none>')));
    for (const old of new Set([id, ...left.map(({ Id }) => Id)])) await this.remove(old);
  }

  /** Not what a container uses, or has another tag. */
  private async remove(id: string): Promise<void> {
    await orUndefined(() => this.docker.getImage(id).remove()).catch((error: unknown) => {
      if (!hasStatus(error, 409)) throw error;
    });
  }

  private async factsOf(id: string): Promise<BuiltFacts> {
    const image = await callEngine(() => this.docker.getImage(id).inspect());
    const { Config: config, Os: os, Architecture: architecture } = image;
    // Of no variant here: the engine tells it for ARM alone.
    return {
      user: config.User ?? '',
      labels: Object.entries(config.Labels ?? {}).map(([name, value]) => `${name}=${value}`),
      platform: `${os}/${architecture}`,
      size: image.Size,
      layers: image.RootFS.Layers?.length ?? 0,
      exposedPorts: Object.keys(config.ExposedPorts ?? {}),
      volumes: Object.keys(config.Volumes ?? {}),
    };
  }

  /** Builds may not reach each other either. */
  private async networkOf(): Promise<string> {
    const { bridge, installation } = this.options;
    if (bridge === null) return 'none';
    const name = buildNetworkName(installation);
    const [present] = await callEngine(() => this.docker.listNetworks({ filters: { name: [`^${name}$`] } }));
    if (present) return name;
    const made = this.docker.createNetwork({
      ...{ Name: name, Driver: 'bridge', CheckDuplicate: true },
      Options: {
        'com.docker.network.bridge.name': bridge,
        'com.docker.network.bridge.enable_icc': 'false',
      },
      Labels: { [LABEL.builds]: installation },
    });
    await callEngine(() => made).catch((error: unknown) => {
      if (!hasStatus(error, 409)) throw error;
    });
    return name;
  }
}

/** What the engine says, line by line; throws BUILD_FAILED with what it says went wrong, and when the signal is aborted. */
async function* messages(
  stream: NodeJS.ReadableStream,
  { log, signal }: ImageProgress,
): AsyncGenerator<Message> {
  const abort = (): void => void (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const line of linesOf(stream)) {
      const message = Message.parse(JSON.parse(line));
      if (message.error !== undefined) throw failed(message.error);
      for (const text of textOf(message)) await log(text);
      yield message;
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  try {
    for await (const chunk of stream) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines.filter((line) => line.trim() !== '');
    }
  } catch (error) {
    throw new BerthError('ENGINE_UNAVAILABLE', 'The container engine broke off.', {}, { cause: error });
  }
  if (rest.trim() !== '') yield rest;
}

/** Not each step of a bar. */
function textOf({ stream, status, id, progressDetail }: Message): string[] {
  if (stream !== undefined) return stream.split('\n').filter((line) => line.trim() !== '');
  if (status === undefined || progressDetail?.current !== undefined) return [];
  return [id === undefined ? status : `${id}: ${status}`];
}

function failed(why: string): BerthError {
  return new BerthError('BUILD_FAILED', `The image could not be built: ${why.trim()}`);
}
