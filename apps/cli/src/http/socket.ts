import { WebSocket } from 'ws';

const HANDSHAKE_MS = 30_000;
const KEEP_ALIVE_MS = 15_000;

/** An answer in place of a WebSocket. */
export interface Refusal {
  status: number;
  statusText: string;
  body: unknown;
}

export type SocketOutcome = { socket: WebSocket } | { response: Refusal } | { error: Error };

/** Asks for a WebSocket. What comes over it waits until it is listened to. */
export function openSocket(url: string, token: string): Promise<SocketOutcome> {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
  });
  return new Promise((resolve) => {
    socket.once('upgrade', ({ socket: connection }) => connection.setKeepAlive(true, KEEP_ALIVE_MS));
    socket.once('open', () => {
      socket.pause();
      resolve({ socket });
    });
    socket.on('error', (error) => resolve({ error }));
    socket.once('unexpected-response', (request, response) => {
      const { statusCode: status = 0, statusMessage: statusText = '' } = response;
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('close', () => {
        request.destroy();
        resolve({ response: { status, statusText, body: jsonOf(text) } });
      });
    });
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
