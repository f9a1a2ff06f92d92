import type { ServerResponse } from 'node:http';

/** The requests that are being answered: a stop waits for them, for a while. */
export class Transfers {
  private readonly open = new Set<ServerResponse>();
  private draining = false;

  add(response: ServerResponse): void {
    this.open.add(response);
    response.once('close', () => this.open.delete(response));
    // A kept-alive connection would keep the server from closing.
    response.once('finish', () => {
      if (this.draining) response.socket?.destroySoon();
    });
    if (this.draining) response.shouldKeepAlive = false;
  }

  /** From here on connections end with their request; what still runs after `graceMs` is cut off. */
  drain(graceMs: number): void {
    this.draining = true;
    for (const response of this.open) if (!response.headersSent) response.shouldKeepAlive = false;
    setTimeout(() => {
      for (const response of this.open) response.destroy();
    }, graceMs).unref();
  }
}
