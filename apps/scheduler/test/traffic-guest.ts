/** A guest that speaks HTTP/1.1, WebSocket and event streams, and tells how much of a body it has seen yet. */
export const HTTP_GUEST = `
const { createServer } = require('node:http');
const { createHash } = require('node:crypto');
const { pipeline } = require('node:stream');
const { WebSocketServer } = require('ws');

const watchers = new Set();
const state = () => ({ watchers: watchers.size, received, sent, gone });
let received = 0, sent = 0, gone = 0, told = 0;

const paths = {
  '/state': (request, response) => response.end(JSON.stringify(state())),
  '/events': (request, response) => {
    watchers.add(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: hello\\n\\n');
    response.on('close', () => { watchers.delete(response); gone += 1; });
  },
  '/tell': (request, response) => {
    told += 1;
    for (const watcher of watchers) watcher.write('data: ' + told + '\\n\\n');
    response.end();
  },
  '/upload': (request, response) => {
    received = 0;
    const hash = createHash('sha256');
    request.on('data', (chunk) => { received += chunk.length; hash.update(chunk); });
    request.on('end', () => response.end(JSON.stringify({ received, hash: hash.digest('hex') })));
  },
  '/download': (request, response) => {
    const total = Number(request.headers['x-bytes']);
    response.writeHead(200, { 'content-length': total });
    sent = 0;
    const chunk = Buffer.alloc(65536, 'berth');
    const more = function* () {
      while (sent < total) {
        const next = chunk.subarray(0, total - sent);
        sent += next.length;
        yield next;
      }
    };
    pipeline(more(), response, () => undefined);
  },
  '/echo': (request, response) => response.end(JSON.stringify(request.headers)),
};
const server = createServer((request, response) => (paths[request.url] ?? paths['/state'])(request, response));
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('close', (code) => { gone = code; });
});
server.listen(8080);
process.on('SIGTERM', () => process.exit());
`;

/** A guest that answers each message of a stream as it comes, and ends with trailers, as gRPC servers do. */
export const H2C_GUEST = `
const http2 = require('node:http2');
const server = http2.createServer();
server.on('stream', (stream, headers) => {
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'x-path': headers[':path'] },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }));
  stream.on('data', (chunk) => stream.write(chunk));
  stream.on('end', () => stream.end());
  stream.on('error', () => undefined);
});
server.listen(8080);
process.on('SIGTERM', () => process.exit());
`;
