import Docker from 'dockerode';
import { BerthError } from '@berth/contracts';

/** How long the engine may take to answer a plain call. */
const CALL_TIMEOUT_MS = 30_000;

interface EngineError extends Error {
  code?: string;
  statusCode?: number;
  json?: { message?: string };
}

/** A client of the engine at a DOCKER_HOST: `unix:///path`, `tcp://host:port` or `http(s)://host:port`. */
export function connectDocker(dockerHost: string): Docker {
  if (dockerHost.startsWith('unix://')) return new Docker({ socketPath: dockerHost.slice('unix://'.length) });
  const url = new URL(dockerHost.replace(/^tcp:/, 'http:'));
  return new Docker({
    host: url.hostname,
    port: Number(url.port || 2375),
    protocol: url.protocol === 'https:' ? 'https' : 'http',
  });
}

/** A call of the engine, in bounded time, with its absence told as ENGINE_UNAVAILABLE. */
export async function callEngine<T>(call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
      CALL_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    if (isAway(error)) {
      throw new BerthError(
        'ENGINE_UNAVAILABLE',
        `The container engine does not answer: ${(error as Error).message}. "berth doctor" says how to mend it.`,
        {},
        { cause: error },
      );
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'EACCES',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);

function isAway(error: unknown): boolean {
  const { code, message, statusCode } = error as EngineError;
  if (statusCode !== undefined) return statusCode === 503 && !isNoSwarm(error);
  return (code !== undefined && AWAY.has(code)) || /socket hang up/.test(message ?? '');
}

/** The engine is in no swarm, or in one that it does not manage. */
export function isNoSwarm(error: unknown): boolean {
  return /not a swarm manager|not part of a swarm/i.test(engineMessage(error));
}

export function hasStatus(error: unknown, status: number): boolean {
  return (error as EngineError).statusCode === status;
}

export function engineMessage(error: unknown): string {
  const { json, message } = error as EngineError;
  return json?.message ?? message ?? String(error);
}

/** The answer, or undefined where there is no such thing. */
export async function orUndefined<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await callEngine(call);
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}
