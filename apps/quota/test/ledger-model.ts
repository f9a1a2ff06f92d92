import type { BrokenLimit, Reservation } from '@berth/contracts';

type State = 'pending' | 'committed' | 'replaced' | 'released' | 'expired' | 'vacated';

interface Entry {
  reservation: Reservation;
  state: State;
}

export type Answer = 'reserved' | 'refused' | 'IDEMPOTENCY_MISMATCH' | 'CONFLICT' | 'NOT_FOUND' | 'done';

/** What the ledger should do, said as plainly as possible: one limit on instances per scope, one caller at a time. */
export class LedgerModel {
  readonly limits = new Map<string, number>();
  private readonly entries = new Map<string, Entry>();
  private readonly neverMade = new Set<string>();

  reserve(wanted: Reservation): { answer: Answer; broken: Omit<BrokenLimit, 'dimension'>[] } {
    const plain = (answer: Answer) => ({ answer, broken: [] });
    if (this.neverMade.has(wanted.id)) return plain('CONFLICT');
    const entry = this.entries.get(wanted.id);
    if (entry && JSON.stringify(entry.reservation) !== JSON.stringify(wanted))
      return plain('IDEMPOTENCY_MISMATCH');
    if (entry && (entry.state === 'released' || entry.state === 'vacated')) return plain('CONFLICT');
    if (entry && entry.state !== 'expired') return plain('reserved');
    const broken = scopesOf(wanted).flatMap(([scope, name]) => {
      const limit = this.limits.get(`${scope}/${name}`);
      const used = this.used(scope, name);
      const own = used - this.used(scope, name, holderOf(wanted));
      const requested = wanted.amounts.instances;
      return limit !== undefined && used - own + requested > limit
        ? [{ scope, name, limit, used, requested: requested - own }]
        : [];
    });
    if (broken.length > 0) return { answer: 'refused', broken };
    this.entries.set(wanted.id, { reservation: wanted, state: 'pending' });
    return plain('reserved');
  }

  commit(id: string): Answer {
    const entry = this.entries.get(id);
    if (!entry) return 'NOT_FOUND';
    if (['committed', 'replaced', 'vacated'].includes(entry.state)) return 'done';
    for (const other of this.entries.values()) {
      if (other.state === 'committed' && holderOf(other.reservation) === holderOf(entry.reservation)) {
        other.state = 'replaced';
      }
    }
    entry.state = 'committed';
    return 'done';
  }

  release(id: string): Answer {
    const entry = this.entries.get(id);
    if (!entry) this.neverMade.add(id);
    else if (entry.state === 'pending' || entry.state === 'expired') entry.state = 'released';
    return 'done';
  }

  expire(id: string): void {
    const entry = this.entries.get(id);
    if (entry?.state === 'pending') entry.state = 'expired';
  }

  vacate(project: string, environment: string): void {
    for (const entry of this.entries.values()) {
      if (entry.state !== 'replaced' && holderOf(entry.reservation) === `${project}.${environment}`)
        entry.state = 'vacated';
    }
  }

  /** Over all environments, the larger of what is committed and what is pending, where it belongs to the scope. */
  used(scope: string, name: string, except?: string): number {
    const largest = new Map<string, number>();
    for (const { reservation, state } of this.entries.values()) {
      const holder = holderOf(reservation);
      if ((state !== 'pending' && state !== 'committed') || holder === except) continue;
      if (!scopesOf(reservation).some(([s, n]) => s === scope && n === name)) continue;
      largest.set(holder, Math.max(largest.get(holder) ?? 0, reservation.amounts.instances));
    }
    return [...largest.values()].reduce((sum, amount) => sum + amount, 0);
  }
}

function holderOf({ project, environment }: Reservation): string {
  return `${project}.${environment}`;
}

export function scopesOf(wanted: Reservation): [scope: BrokenLimit['scope'], name: string][] {
  return [
    ['environments', holderOf(wanted)],
    ['projects', wanted.project],
    ['teams', wanted.team],
    ['users', wanted.user],
  ];
}
