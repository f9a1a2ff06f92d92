import { Injectable } from '@nestjs/common';
import { CedarProcess } from './cedar-process.js';
import { PolicyCompiler } from './policy-compiler.js';

const MOST_WAITING = 16;

/**
 * Reads what anybody may have read without it being put in force. In a process of its own: what is to come into force does not
 * stand in line behind strangers.
 */
@Injectable()
export class TrialCompiler extends PolicyCompiler {
  private readonly process: CedarProcess;

  constructor() {
    const process = new CedarProcess(MOST_WAITING);
    super(process);
    this.process = process;
  }

  close(): Promise<void> {
    return this.process.close();
  }
}
