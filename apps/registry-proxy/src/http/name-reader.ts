import { BerthError } from '@berth/contracts';
import {
  isNameProblem,
  parseRepositoryName,
  unknownUpstream,
  type NameProblem,
  type RepositoryName,
} from '../names/repository-name.js';

/** Reads repository names against the upstreams that this installation has. */
export class NameReader {
  constructor(private readonly upstreams: ReadonlySet<string>) {}

  /**
   * `namespace`: the registry that a client asks a mirror about, which leaves the name as it is there (OCI distribution spec after 1.1,
   * "Registry Proxying").
   */
  read(text: string, namespace: string | null = null): RepositoryName | NameProblem {
    if (namespace === null) return parseRepositoryName(text, this.upstreams);
    if (this.upstreams.has(namespace)) return parseRepositoryName(`${namespace}/${text}`, this.upstreams);
    return { code: 'NAME_UNKNOWN', message: unknownUpstream(namespace.slice(0, 300), this.upstreams) };
  }

  /** As people write it to the gateway. Throws NOT_FOUND. */
  require(text: string): RepositoryName {
    const name = this.read(text);
    if (!isNameProblem(name)) return name;
    throw new BerthError('NOT_FOUND', name.message);
  }
}
