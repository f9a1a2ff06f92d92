export interface ApiAnswer<T = unknown> {
  status: number;
  headers: Headers;
  /** Parsed when it is JSON, else the text. */
  body: T;
}

/** A client of the gateway that hides nothing: every status is an answer, none is thrown. */
export class ApiClient {
  constructor(
    readonly url: string,
    readonly token?: string,
  ) {}

  /** The same gateway as someone else; without a token, as nobody. */
  as(token?: string): ApiClient {
    return new ApiClient(this.url, token);
  }

  get<T = unknown>(path: string, headers?: Record<string, string>): Promise<ApiAnswer<T>> {
    return this.request<T>('GET', path, { headers });
  }

  post<T = unknown>(path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer<T>> {
    return this.request<T>('POST', path, { body, headers });
  }

  put<T = unknown>(path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer<T>> {
    return this.request<T>('PUT', path, { body, headers });
  }

  delete<T = unknown>(path: string, headers?: Record<string, string>): Promise<ApiAnswer<T>> {
    return this.request<T>('DELETE', path, { headers });
  }

  /** Sends a string as it is, anything else as JSON. */
  async request<T>(
    method: string,
    path: string,
    { body, headers }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<ApiAnswer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
    };
  }
}
