/** A path whose values are encoded: path`/v1/teams/${name}`. */
export function path(literals: TemplateStringsArray, ...values: string[]): string {
  return literals.reduce((whole, literal, index) => whole + encodeURIComponent(values[index - 1]) + literal);
}

type Scalar = string | number | boolean | null | undefined;
export type Query = Readonly<Record<string, Scalar | readonly string[]>>;

/** `?a=1&b=2` of what is given, `?a=1&a=2` of a list; empty when nothing is. */
export function queryString(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    for (const each of typeof value === 'object' ? value : [value]) given.append(name, String(each));
  }
  return given.size ? `?${given}` : '';
}
