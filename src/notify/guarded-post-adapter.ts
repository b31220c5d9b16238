/** POST to an address that somebody else chose: only where webhooks may go, whatever its name resolves to, and no further. */
import { lookup as lookUp } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type Outcome, retryAfterMs } from './delivery.ts';
import { isPublicAddress, literalAddress } from './public-address.ts';
import type { WebhookPolicy } from './webhook.ts';

export type Post = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For all of it, the answer's body too. */
  readonly timeoutMs: number;
};

/** Bytes of the answer that are read; a receiver that says more is understood without. */
const mostAnswerBytes = 65_536;

/** Every failure is an outcome. @throws when `signal` is aborted */
export async function guardedPost(
  { url: text, headers, body, timeoutMs }: Post,
  { policy, signal }: { readonly policy: WebhookPolicy; readonly signal: AbortSignal },
): Promise<Outcome> {
  const url = URL.parse(text);
  if (!url || !policy.schemes.includes(url.protocol.slice(0, -1))) {
    return { kind: 'refused', problem: `its address is none of ${policy.schemes.join(' or ')}` };
  }
  // A host that is an address is connected to without a lookup.
  const address = literalAddress(url.hostname);
  if (address !== undefined && !policy.allowPrivateAddresses && !isPublicAddress(address)) {
    return { kind: 'refused', problem: notPublic(url.hostname, address) };
  }
  const bytes = Buffer.from(body);
  const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const request = send(url, {
        method: 'POST',
        headers: { ...headers, 'Content-Length': bytes.length },
        agent: false, // a connection of its own: one that is kept was judged for another name
        lookup: policy.allowPrivateAddresses ? lookUp : publicLookup,
        signal: ended,
      });
      request.on('response', (response) => readAnswer(response).then(resolve, reject));
      request.on('error', reject);
      request.end(bytes);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NotPublicError) return { kind: 'refused', problem: error.message };
    if (ended.aborted) return { kind: 'unreachable', problem: `it did not answer within ${timeoutMs / 1_000} s` };
    return { kind: 'unreachable', problem: sayError(error) };
  }
}

class NotPublicError extends Error {}

const notPublic = (host: string, address: string) => `${host} is ${address}, which is no public address`;

/** Judges the addresses that the connection is then made to: between the two, nothing is resolved again. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    const closed = error ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
    const problem = closed ? new NotPublicError(notPublic(hostname, closed.address)) : error;
    const [first] = addresses ?? [];
    if (problem || !first) callback(problem ?? new Error(`${hostname} has no address`), '');
    else if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

async function readAnswer(response: IncomingMessage): Promise<Outcome> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    parts.push(part);
    size += part.length;
    if (size >= mostAnswerBytes) break; // leaving the loop ends the connection
  }
  const wait = retryAfterMs(response.headers['retry-after'], Date.now());
  return {
    kind: 'answered',
    status: response.statusCode ?? 0,
    body: Buffer.concat(parts).subarray(0, mostAnswerBytes).toString('utf8').replaceAll('\0', ''),
    ...(wait !== undefined && { retryAfterMs: wait }),
  };
}

/** The system's word for it, without addresses that only this machine knows. */
function sayError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = {
    ENOTFOUND: 'its name is not known',
    EAI_AGAIN: 'its name cannot be resolved now',
    ECONNREFUSED: 'it refuses the connection',
    ECONNRESET: 'it ended the connection',
    EPIPE: 'it ended the connection',
    ETIMEDOUT: 'it cannot be reached',
    EHOSTUNREACH: 'it cannot be reached',
    ENETUNREACH: 'it cannot be reached',
  }[code];
  return known ?? (code === '' ? 'the connection failed' : `the connection failed (${code})`);
}
