import { request } from 'node:http';

/** The engine's HTTP API at its socket: as little overhead as a client can have. Throws with the engine's answer. */
export function engineRequest<T>(
  dockerHost: string,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const socketPath = dockerHost.replace(/^unix:\/\//, '');
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, method, path: `/v1.41${path}`, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          if ((response.statusCode ?? 500) < 300) resolve((text === '' ? undefined : JSON.parse(text)) as T);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}
