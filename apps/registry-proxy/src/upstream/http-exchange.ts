import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Milliseconds. */
export interface Timeouts {
  /** From the request to the head of the answer. */
  answer: number;
  /** Between two reads of a body. */
  idle: number;
}

export class ExchangeTimeout extends Error {
  override readonly name = 'ExchangeTimeout';
}

const agents = {
  'http:': new HttpAgent({ keepAlive: true }),
  'https:': new HttpsAgent({ keepAlive: true }),
};

export interface ExchangeRequest {
  method: 'GET' | 'HEAD';
  url: URL;
  headers: OutgoingHttpHeaders;
  timeouts: Timeouts;
}

/**
 * One request and the head of its answer; follows nothing and interprets nothing. Not `fetch`: that asks for compressed
 * bodies and undoes the compression, and a registry's bytes must arrive as they are.
 */
export function exchange({ method, url, headers, timeouts }: ExchangeRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const send = secure ? httpsRequest : httpRequest;
    const request = send(url, {
      method,
      headers: { ...headers, 'accept-encoding': 'identity' },
      agent: secure ? agents['https:'] : agents['http:'],
    });
    const timer = setTimeout(
      () => request.destroy(new ExchangeTimeout(`no answer within ${timeouts.answer} ms`)),
      timeouts.answer,
    );
    request.on('response', (response) => {
      clearTimeout(timer);
      response.setTimeout(timeouts.idle, () =>
        response.destroy(new ExchangeTimeout(`nothing more within ${timeouts.idle} ms`)),
      );
      resolve(response);
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end();
  });
}

/** Lets the connection be used again, without reading a body that may have no end. */
export function abandon(response: IncomingMessage): void {
  if (response.complete) response.resume();
  else if (Number(response.headers['content-length'] ?? Infinity) <= 65_536) response.resume();
  else response.destroy();
}

/** The whole body, or null when it is longer than `limit` bytes; what comes after those is dropped. */
export async function readBody(message: IncomingMessage, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when left early: on a server that would take the connection from under the answer.
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
