import { EventSourceParserStream } from 'eventsource-parser/stream';

export interface ServerEvent {
  event: string | undefined;
  data: string;
  id: string | undefined;
}

/** The events of a `text/event-stream` (WHATWG HTML, 9.2), until the other side ends it. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  if (!response.body) return;
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield { event: value.event, data: value.data, id: value.id };
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
