import type { Problems } from './problems.js';
import { parseDuration } from './quantities.js';
import type { HealthcheckSpec } from './spec.js';
import { asText, Section } from './section.js';
import type { ComposeNode } from './tree.js';

const DURATION = 'a duration such as "10s" or "1m30s"';
/** The engine takes none below a millisecond. */
const atLeastOneMillisecond = (text: string): number | null => {
  const duration = parseDuration(text);
  return duration !== null && duration >= 1e6 ? duration : null;
};

/** `healthcheck` in all its forms: a test as text or list, `NONE`, or `disable: true`. */
export function readHealthcheck(section: Section, problems: Problems): HealthcheckSpec | null {
  const disabled = section.boolean('disable') ?? false;
  const test = section.take('test');
  const spec: HealthcheckSpec = {
    test: test ? readTest(test, problems) : null,
    intervalNs: section.parsed('interval', DURATION, atLeastOneMillisecond) ?? null,
    timeoutNs: section.parsed('timeout', DURATION, atLeastOneMillisecond) ?? null,
    startPeriodNs: section.parsed('start_period', DURATION, parseDuration) ?? null,
    retries: section.integer('retries', 1, 1000) ?? null,
  };
  section.finish({ start_interval: 'the engine must be of API 1.44 for it; use "interval"' });
  if (!disabled) return Object.values(spec).every((value) => value === null) ? null : spec;
  if (spec.test && spec.test[0] !== 'NONE')
    problems.invalid(section.keyPlace('disable'), '"disable: true" and a "test" contradict each other');
  return { test: ['NONE'], intervalNs: null, timeoutNs: null, startPeriodNs: null, retries: null };
}

function readTest(node: ComposeNode, problems: Problems): string[] | null {
  if (node.kind !== 'list') {
    const text = asText(node, problems);
    return text ? ['CMD-SHELL', text] : null;
  }
  const words = node.items.map((item) => asText(item, problems) ?? '');
  const [kind, ...rest] = words;
  const fits =
    (kind === 'NONE' && rest.length === 0) ||
    (kind === 'CMD' && rest.length > 0) ||
    (kind === 'CMD-SHELL' && rest.length === 1);
  if (fits) return words;
  problems.invalid(node, 'must be text, ["NONE"], ["CMD", program, …] or ["CMD-SHELL", text]');
  return null;
}
