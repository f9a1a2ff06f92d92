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
  constructor(private readonly directory: { names: ReadonlySet<string> }) {}

  /**
   * `namespace`: the registry that a client asks a mirror about, which leaves the name as it is there (OCI distribution spec after 1.1,
   * "Registry Proxying").
   */
  read(text: string, namespace: string | null = null): RepositoryName | NameProblem {
    const { names } = this.directory;
    if (namespace === null) return parseRepositoryName(text, names);
    if (names.has(namespace)) return parseRepositoryName(`${namespace}/${text}`, names);
    return { code: 'NAME_UNKNOWN', message: unknownUpstream(namespace.slice(0, 300), names) };
  }

  /** As people write it to the gateway. Throws NOT_FOUND. */
  require(text: string): RepositoryName {
    const name = this.read(text);
    if (!isNameProblem(name)) return name;
    throw new BerthError('NOT_FOUND', name.message);
  }
}
