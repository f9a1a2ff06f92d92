import { parseRepositoryName, type NameProblem, type RepositoryName } from '../names/repository-name.js';

/** Reads repository names against the upstreams that this installation has. */
export class NameReader {
  constructor(private readonly upstreams: ReadonlySet<string>) {}

  read(text: string): RepositoryName | NameProblem {
    return parseRepositoryName(text, this.upstreams);
  }
}
