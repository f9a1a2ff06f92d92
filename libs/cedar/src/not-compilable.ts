/** What is no policy, or one that this evaluator does not know how to decide by: it is refused, never left out. */
export class NotCompilable extends Error {
  override readonly name = 'NotCompilable';
}
