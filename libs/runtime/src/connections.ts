import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Once the server stops, ends the connections that carry no request. Node's own `closeIdleConnections` leaves two kinds:
 * those that never carried one, which clients open ahead of need, and those whose last request ends after the call. Both
 * would hold up a stop until they time out.
 */
export function endUnusedConnections(fastify: FastifyInstance): void {
  const requests = new Map<Socket, number>();
  let stopping = false;

  fastify.server.on('connection', (socket: Socket) => {
    requests.set(socket, 0);
    socket.once('close', () => requests.delete(socket));
  });
  fastify.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (requests.get(socket) ?? 1) - 1;
      if (!socket.destroyed) requests.set(socket, left);
      if (stopping && left === 0) socket.destroySoon();
    });
  });
  fastify.addHook('preClose', (done) => {
    stopping = true;
    for (const [socket, running] of requests) if (running === 0) socket.destroySoon();
    done();
  });
}
