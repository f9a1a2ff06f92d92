import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';

/** One call of the ledger, as `ledger_apply` takes it: cpu in thousandths of a core, memory in bytes. */
export type LedgerCall =
  | {
      call: 'reserve';
      id: string;
      project: string;
      environment: string;
      team: string;
      user: string;
      cpu: number;
      memory: number;
      instances: number;
      seconds: number;
    }
  | { call: 'commit' | 'release'; id: string }
  | { call: 'vacate'; project: string; environment: string };

interface Waiting {
  call: LedgerCall;
  resolve: (answer: never) => void;
  reject: (error: unknown) => void;
}

// All locks of a statement are held until its end: many enough to share a commit, few enough to keep nobody waiting.
const MOST_TOGETHER = 32;

/**
 * Makes calls of the ledger, each statement a transaction of its own. What is asked while one is under way goes into the
 * next, together: where many want the same limit, they wait for one commit and not for each other's.
 */
@Injectable()
export class LedgerCalls {
  private readonly waiting: Waiting[] = [];
  private busy = false;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  make<Answer>(call: LedgerCall): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ call, resolve, reject });
      if (!this.busy) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.waiting.length > 0) {
      const together = this.waiting.splice(0, MOST_TOGETHER).sort(byId);
      try {
        const [{ answers }]: { answers: never[] }[] = await this.dataSource.query(
          'SELECT ledger_apply($1) AS answers',
          [JSON.stringify(together.map(({ call }) => call))],
        );
        together.forEach(({ resolve }, index) => resolve(answers[index]));
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    this.busy = false;
  }
}

/** Every instance locks rows in the same order. */
function byId(one: Waiting, other: Waiting): number {
  return idOf(one.call) < idOf(other.call) ? -1 : 1;
}

function idOf(call: LedgerCall): string {
  return call.call === 'vacate' ? '' : call.id;
}
