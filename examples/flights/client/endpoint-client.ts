/** Asks an endpoint over connections that stay open, one flight a request. */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

export type EndpointAddress = {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly connections: number;
};

export type Answer = { readonly status: number; readonly body: string; readonly ms: number };
export type Label = { readonly key: number; readonly value: 0 | 1 };

export interface EndpointClient extends Disposable {
  /** @param body a request of the Open Inference Protocol. Status 0: nobody answered */
  infer(body: string): Promise<Answer>;
  /** Repeated until it is accepted: a label comes once, and is known by its key. @throws Error when it never is */
  sendLabels(labels: readonly Label[]): Promise<void>;
}

const labelTries = 6;

export function endpointClient({ url, endpoint, token, connections }: EndpointAddress): EndpointClient {
  const base = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };

  const post = (path: string, body: string): Promise<Answer> => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const started = performance.now();
    const finish = (status: number, text: string) => resolve({ status, body: text, ms: performance.now() - started });
    const call = httpRequest(
      {
        agent,
        host: base.hostname,
        port: base.port,
        path,
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => finish(response.statusCode ?? 0, Buffer.concat(parts).toString()));
        response.on('error', (error) => finish(0, error.message));
      },
    );
    call.on('error', (error) => finish(0, error.message));
    call.end(body);
    return promise;
  };

  return {
    infer: (body) => post(`/v2/models/${encodeURIComponent(endpoint)}/infer`, body),
    async sendLabels(labels) {
      const body = JSON.stringify({ labels });
      for (let tries = 1; ; tries++) {
        const { status, body: answer } = await post(`/api/v1/endpoints/${encodeURIComponent(endpoint)}/labels`, body);
        if (status >= 200 && status < 300) return;
        if (tries === labelTries) throw new Error(`${labels.length} labels were not accepted: ${status} ${answer}`);
        await wait(100 * 2 ** tries);
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}
