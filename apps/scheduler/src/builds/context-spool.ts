import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack, type Header } from 'tar-stream';
import { BerthError, formatBytes } from '@berth/contracts';

const MOST_ENTRIES = 200_000;

/**
 * The context of one build, in a file without a name: with its last handle it is gone, also where the process is killed.
 * What it holds is never unpacked here.
 */
export class ContextSpool {
  private size = 0;

  private constructor(
    private readonly file: FileHandle,
    private readonly limit: number,
  ) {}

  static async create(limit: number): Promise<ContextSpool> {
    const path = join(tmpdir(), `berth-context-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new ContextSpool(file, limit);
  }

  get bytes(): number {
    return this.size;
  }

  /** Throws BODY_TOO_LARGE. */
  async add(data: Buffer): Promise<void> {
    if (this.size + data.length > this.limit)
      throw new BerthError(
        'BODY_TOO_LARGE',
        `The context is larger than ${formatBytes(this.limit)}. Leave out what the build does not need, by a .dockerignore.`,
      );
    this.size += data.length;
    await this.file.write(data);
  }

  /** The text of a file in it, of at most so many bytes. Throws CONTEXT_INVALID. */
  async read(path: string, limit: number): Promise<string> {
    const wanted = entryName(path);
    let found: string | null = null;
    await this.each(async (headers, body) => {
      if (entryName(headers.name) !== wanted) return;
      if (headers.type !== 'file') throw broken(`"${path}" is no plain file`);
      if ((headers.size ?? 0) > limit) throw broken(`"${path}" is larger than ${formatBytes(limit)}`);
      // As in unpacking, the last of a name counts.
      found = await textOf(body);
    });
    if (found === null) throw broken(`there is no "${path}" in it`);
    return found;
  }

  /** As it came, with these files in place of their likes. */
  with(files: Readonly<Record<string, string>>): Readable {
    const archive = pack();
    const replaced = new Set(Object.keys(files).map(entryName));
    const write = async (): Promise<void> => {
      await this.each(async (headers, body) => {
        if (replaced.has(entryName(headers.name))) return;
        await pipeline(body, archive.entry(headers) as unknown as NodeJS.WritableStream);
      });
      for (const [name, text] of Object.entries(files)) archive.entry({ name, mode: 0o600 }, text);
      archive.finalize();
    };
    write().catch((error: unknown) => archive.destroy(error as Error));
    const stream = Readable.from(archive);
    // Whoever sends it may have left.
    stream.on('error', () => undefined);
    return stream;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async each(take: (headers: Header, body: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
    const source = this.file.createReadStream({
      start: 0,
      end: Math.max(this.size - 1, 0),
      autoClose: false,
    });
    const archive = extract();
    const reading = pipeline(source, archive);
    // Told of by what reads the entries.
    reading.catch(() => undefined);
    let entries = 0;
    try {
      for await (const entry of archive) {
        entries += 1;
        if (entries > MOST_ENTRIES) throw broken(`it has more than ${MOST_ENTRIES} entries`);
        await take(entry.header, entry as AsyncIterable<Buffer>);
        entry.resume();
      }
      await reading;
    } catch (error) {
      archive.destroy();
      if (error instanceof BerthError) throw error;
      throw broken((error as Error).message);
    }
    if (entries === 0) throw broken('it is empty');
  }
}

/** `./a//b` and `a/b` are one. */
function entryName(name: string): string {
  return posix.normalize(`/${name}`).replace(/\/$/, '');
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function broken(why: string): BerthError {
  return new BerthError(
    'CONTEXT_INVALID',
    `The build context is not as it should be: ${why}. It is a tar archive, not compressed, with the Dockerfile in it.`,
  );
}
