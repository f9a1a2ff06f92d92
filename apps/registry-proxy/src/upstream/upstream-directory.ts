import type { Upstream } from './upstreams.js';
import { upstreamsByHost } from './upstreams.js';

/** The upstreams that there are now: those of the environment, and those that were added. */
export class UpstreamDirectory {
  private all: ReadonlyMap<string, Upstream>;
  private hosts: ReadonlyMap<string, string>;
  private known: ReadonlySet<string>;

  constructor(private readonly fixed: ReadonlyMap<string, Upstream>) {
    this.all = fixed;
    this.hosts = upstreamsByHost(fixed.values());
    this.known = new Set(fixed.keys());
  }

  get(name: string): Upstream | undefined {
    return this.all.get(name);
  }

  get names(): ReadonlySet<string> {
    return this.known;
  }

  /** Host as people write it in a reference -> name of the upstream. */
  get byHost(): ReadonlyMap<string, string> {
    return this.hosts;
  }

  /** Named by the environment, which nobody changes here. */
  get ofEnvironment(): ReadonlyMap<string, Upstream> {
    return this.fixed;
  }

  /** Takes over what was added, in place of what it knew to be. */
  replaceAdded(added: ReadonlyMap<string, Upstream>): void {
    this.all = new Map([...added, ...this.fixed]);
    this.hosts = upstreamsByHost(this.all.values());
    this.known = new Set(this.all.keys());
  }
}
