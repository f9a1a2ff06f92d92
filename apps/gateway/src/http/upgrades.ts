import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { BerthError } from '@berth/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { WebSocketServer, type WebSocket } from 'ws';

const LARGEST_MESSAGE = 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

interface Upgrade {
  response: ServerResponse;
  socket: Duplex;
  /** What the client has sent already, after the request. */
  head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();
const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: LARGEST_MESSAGE,
  // Each message would cost memory and time, for a few bytes of a terminal.
  perMessageDeflate: false,
});

/**
 * A step of `startService`: a request for a WebSocket is routed like any other, through the same hooks, and may be
 * refused like any other; a controller that has let it pass takes it over with `acceptWebSocket`.
 */
export function routeUpgrades(app: NestFastifyApplication): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!asksForWebSocket(request)) return passOn(fastify.server, request, socket, head);
    socket.on('error', () => socket.destroy());
    // A client that has vanished is noticed, and one that reads slowly is left alone.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const response = new ServerResponse(request);
    // Nobody reads another request from this connection.
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.end());
    upgrades.set(request, { response, socket, head });
    fastify.routing(request, response);
  });
}

/** Throws UPGRADE_REQUIRED where `acceptWebSocket` would not be understood. */
export function requireUpgrade({ raw, headers }: FastifyRequest): void {
  const valid =
    upgrades.has(raw) &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '');
  if (valid) return;
  throw new BerthError(
    'UPGRADE_REQUIRED',
    'This is spoken over a WebSocket (RFC 6455, version 13): ask with "Upgrade: websocket". "berth exec" does.',
  );
}

/** Answers the request with a WebSocket; null where its client has left meanwhile. */
export function acceptWebSocket({ raw }: FastifyRequest, reply: FastifyReply): Promise<WebSocket | null> {
  const upgrade = upgrades.get(raw);
  if (!upgrade) throw new Error('it is no request for a WebSocket');
  const { response, socket, head } = upgrade;
  reply.hijack();
  response.detachSocket(socket as Socket);
  if (!socket.readable || !socket.writable) return Promise.resolve(null);
  return new Promise((resolve) => sockets.handleUpgrade(raw, socket, head, resolve));
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * A server may leave an upgrade be (RFC 9110, 7.8); some clients ask for HTTP/2 with each request. Node has let go of the
 * connection by now: it is given it back, with the request as it would have been without.
 */
function passOn(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (/^(upgrade|connection|http2-settings)$/i.test(rawHeaders[at])) continue;
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}
