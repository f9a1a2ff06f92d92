import { METADATA_PORT, WAY_IN_FOLDER } from '../engine/way-in.js';

/** In the folder that the scheduler and Caddy share. */
export const METADATA_SOCKET = 'metadata.sock';
/** Who asks, as Caddy saw it: it takes the place of whatever a guest says under this name. */
export const METADATA_REMOTE = 'x-berth-remote';

const AWAY = JSON.stringify({
  ...{ type: 'urn:berth:error:SERVICE_UNAVAILABLE', title: 'A service does not answer', status: 503 },
  ...{ code: 'SERVICE_UNAVAILABLE', detail: 'The scheduler does not answer. Try again.' },
});

/**
 * The third server of Caddy, in the networks of environments: it passes on to the scheduler, which looks at nothing but
 * the path, two headers and the address that the connection comes from. With limits of its own, since any guest reaches it.
 */
export function metadataServer(): object {
  return {
    listen: [`0.0.0.0:${METADATA_PORT}`],
    protocols: ['h1'],
    automatic_https: { disable: true },
    read_header_timeout: '5s',
    idle_timeout: '15s',
    max_header_bytes: 8_192,
    routes: [
      {
        handle: [
          {
            handler: 'reverse_proxy',
            upstreams: [{ dial: `unix/${WAY_IN_FOLDER}/${METADATA_SOCKET}` }],
            headers: { request: { set: { [METADATA_REMOTE]: ['{http.request.remote.host}'] } } },
            // Event streams are passed on as they come without being asked to; with `flush_interval`, the scheduler would
            // not be told that who watched is gone.
            // As long as another scheduler takes to answer in place of one that was killed.
            load_balancing: { try_duration: '5s', try_interval: '50ms' },
            transport: { protocol: 'http', dial_timeout: '1s', keep_alive: { enabled: false } },
          },
        ],
      },
    ],
    errors: {
      routes: [
        {
          handle: [
            {
              handler: 'static_response',
              status_code: 503,
              headers: { 'Content-Type': ['application/problem+json'], 'Retry-After': ['1'] },
              body: AWAY,
            },
          ],
        },
      ],
    },
  };
}
