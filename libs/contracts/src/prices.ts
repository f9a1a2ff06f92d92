import { z } from 'zod';
import { Name, Timestamp } from './names.js';

const amount = z.number().nonnegative().max(1e6);

/** What an hour costs of what is used. */
export const SetPrices = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .describe('Its code in ISO 4217, such as `EUR`'),
    cpu: amount.describe('Of a core, for an hour; to a millionth'),
    memory: amount.describe('Of a GiB, for an hour; to a millionth'),
  })
  .meta({ id: 'SetPrices' });
export type SetPrices = z.infer<typeof SetPrices>;

export const Prices = SetPrices.extend({ setBy: Name, setAt: Timestamp }).meta({ id: 'Prices' });
export type Prices = z.infer<typeof Prices>;

/** Hours of a month, on average over years. */
export const HOURS_A_MONTH = 730;

export const Cost = z.object({
  currency: z.string(),
  perHour: z.number().describe('To a millionth'),
  perMonth: z.number().describe(`${HOURS_A_MONTH} hours of it, to a hundredth`),
});
export type Cost = z.infer<typeof Cost>;
