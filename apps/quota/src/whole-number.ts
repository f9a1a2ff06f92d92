import type { ValueTransformer } from 'typeorm';

/** pg gives 64-bit integers as text; ours were safe integers when they came in. */
export const wholeNumber: ValueTransformer = {
  to: (value: number | null) => value,
  from: (text: string | null) => (text === null ? null : Number(text)),
};
