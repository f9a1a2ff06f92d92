/**
 * Cases that run at the same time, each with things of its own: most of their time is containers starting and ending.
 * Jest starts such cases before its hooks, so what they share is made by `prepare`, once.
 */
export function sideBySide(prepare: () => Promise<void>): (name: string, body: () => Promise<void>) => void {
  let begun: Promise<void> | undefined;
  return (name, body) => it.concurrent(name, () => (begun ??= prepare()).then(body));
}
