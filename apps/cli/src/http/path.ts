/** A path whose values are encoded: path`/v1/teams/${name}`. */
export function path(literals: TemplateStringsArray, ...values: string[]): string {
  return literals.reduce((whole, literal, index) => whole + encodeURIComponent(values[index - 1]) + literal);
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** `?a=1&b=2` of what is given; empty when nothing is. */
export function queryString(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) given.set(name, String(value));
  }
  return given.size ? `?${given}` : '';
}
