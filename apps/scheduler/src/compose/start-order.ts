import type { ServiceSpec } from './spec.js';

/**
 * Services in waves: those of a wave depend only on services of waves before it. Or the names along a circle of
 * dependencies, the first repeated at the end.
 */
export function startOrder(
  services: Readonly<Record<string, Pick<ServiceSpec, 'dependsOn'>>>,
): { waves: string[][] } | { cycle: string[] } {
  const waves: string[][] = [];
  const placed = new Set<string>();
  let rest = Object.keys(services).sort();
  const dependencies = (name: string): string[] =>
    Object.keys(services[name].dependsOn).filter((other) => Object.hasOwn(services, other));
  while (rest.length > 0) {
    const wave = rest.filter((name) => dependencies(name).every((other) => placed.has(other)));
    if (wave.length === 0) return { cycle: circleFrom(rest[0], placed, dependencies) };
    for (const name of wave) placed.add(name);
    waves.push(wave);
    rest = rest.filter((name) => !placed.has(name));
  }
  return { waves };
}

/** Each of the rest waits for one of the rest: following that, one comes back to where one was. */
function circleFrom(
  start: string,
  placed: ReadonlySet<string>,
  dependencies: (name: string) => string[],
): string[] {
  const path = [start];
  for (;;) {
    const next = dependencies(path[path.length - 1]).find((name) => !placed.has(name)) as string;
    const seen = path.indexOf(next);
    path.push(next);
    if (seen >= 0) return path.slice(seen);
  }
}
