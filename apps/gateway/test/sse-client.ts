import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** A reader of server-sent events that keeps what it got. */
export class SseClient {
  readonly events: EventSourceMessage[] = [];
  retry: number | null = null;
  status = 0;
  contentType: string | null = null;
  /** Settles when the server has ended the stream; rejects when it broke off. */
  ended: Promise<void> = Promise.resolve();
  private readonly leaving = new AbortController();

  static async open(url: string, token = 'good'): Promise<SseClient> {
    const client = new SseClient();
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: client.leaving.signal,
    });
    client.status = response.status;
    client.contentType = response.headers.get('content-type');
    client.ended = client.read(response);
    client.ended.catch(() => undefined);
    return client;
  }

  /** The data of all events of a kind so far. */
  data<T>(event: string): T[] {
    return this.events.filter((each) => each.event === event).map(({ data }) => JSON.parse(data) as T);
  }

  leave(): void {
    this.leaving.abort();
  }

  private async read(response: Response): Promise<void> {
    const parser = createParser({
      onEvent: (event) => this.events.push(event),
      onRetry: (retry) => (this.retry = retry),
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? [])
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
  }
}
