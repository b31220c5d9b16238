/** A receiver of webhooks that is a real server. Tests only. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

export type Received = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body read as JSON. */
  readonly payload: { entity: string; action: string; timestamp: string; data: Record<string, unknown> };
};

export type Receiver = AsyncDisposable & {
  readonly url: string;
  readonly received: Received[];
  /** Resolves when so many have come. */
  readonly has: (count: number) => Promise<readonly Received[]>;
};

/** @param answer how it answers, by default 200; it may leave the answer open */
export async function openReceiver(
  answer: (received: Received, response: ServerResponse) => void = (_, response) => response.end('ok'),
): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part) => (body += part));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body, payload: JSON.parse(body) };
      received.push(one);
      answer(one, response);
      for (const look of waiting) look();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the receiver has no port');
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    received,
    has: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (received.length < count) return;
          waiting.delete(look);
          resolve(received);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
