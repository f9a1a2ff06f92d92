import type { ReferenceContext } from '../names/image-reference.js';

/** What of this installation a reference may name: its own registry, and the upstreams. */
export class ReferenceSettings {
  constructor(
    private readonly publicHost: string | undefined,
    private readonly directory: { byHost: ReadonlyMap<string, string> },
  ) {}

  /** `ownPort`: where this process listens, which on one machine is how people write it. */
  context(ownPort: number | null): ReferenceContext {
    const loopback = ownPort === null ? [] : [`127.0.0.1:${ownPort}`, `localhost:${ownPort}`];
    return {
      ownHosts: new Set(this.publicHost === undefined ? loopback : [...loopback, this.publicHost]),
      upstreamByHost: this.directory.byHost,
    };
  }
}
