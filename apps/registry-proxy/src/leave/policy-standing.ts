import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { POLICY_PULSE_MS, POLICY_PULSE_SUBJECT, PolicyPulse } from '@berth/contracts';
import { NatsLink } from '@berth/messaging';

/** Who has heard nothing for so long knows nothing. */
const SILENCE_MS = 3 * POLICY_PULSE_MS;

/** Where policy stands, as its instances tell. */
@Injectable()
export class PolicyStanding implements OnModuleInit {
  private heard: PolicyPulse | null = null;
  private at = 0;

  constructor(@Inject(NatsLink) private readonly link: NatsLink) {}

  onModuleInit(): void {
    this.link.connection.subscribe(POLICY_PULSE_SUBJECT, {
      callback: (error, message) => {
        if (!error) this.hear(message.string());
      },
    });
  }

  /** The same object as long as nothing changes; null when that is not known. */
  get now(): PolicyPulse | null {
    return performance.now() - this.at < SILENCE_MS ? this.heard : null;
  }

  private hear(text: string): void {
    const { success, data: told } = PolicyPulse.safeParse(parse(text));
    if (!success) return;
    const known = this.heard;
    // Another instance, whose look was before: it says nothing about now.
    if (known && (told.epoch < known.epoch || told.revision < known.revision)) return;
    this.at = performance.now();
    if (told.epoch !== known?.epoch || told.revision !== known.revision || told.open !== known.open)
      this.heard = told;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
