import type { TypeOfAttribute } from '@cedar-policy/cedar-wasm/nodejs';

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

/** When it is asked, in UTC: a fact of each hook, `context.now`. */
export interface ClockFacts {
  weekday: (typeof WEEKDAYS)[number];
  /** Since midnight: 960 is 16:00. */
  minuteOfDay: number;
}

export function clockFacts(time: Date): ClockFacts {
  return {
    weekday: WEEKDAYS[time.getUTCDay()],
    minuteOfDay: time.getUTCHours() * 60 + time.getUTCMinutes(),
  };
}

export const CLOCK_TYPE: TypeOfAttribute<string> = {
  type: 'Record',
  attributes: { weekday: { type: 'String' }, minuteOfDay: { type: 'Long' } },
};
