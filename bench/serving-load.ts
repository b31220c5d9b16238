/** Load from one thread: keeps a number of connections busy with one request for some seconds, and says how long answers took. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { quantile } from './quantile.ts';

const [address = '', connections = '1', seconds = '1', file = '', type = 'application/json'] = process.argv.slice(2);
const { port, hostname, host, pathname } = new URL(address);
const body = readFileSync(file);
const request = Buffer.concat([
  Buffer.from(
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
  ),
  body,
]);
const latencies: number[] = [];
let failures = 0;
const end = performance.now() + Number(seconds) * 1_000;

function keepBusy(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port: Number(port), host: hostname, noDelay: true });
  let sent = 0;
  let answer: Buffer = Buffer.alloc(0);
  const send = (): void => {
    sent = performance.now();
    socket.write(request);
  };
  socket.on('connect', send).on('error', reject);
  socket.on('data', (chunk: Buffer) => {
    answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
    const head = answer.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(answer.toString('latin1', 0, head))?.[1]);
    if (answer.length < head + 4 + length) return;
    const now = performance.now();
    if (answer.toString('latin1', 9, 12) === '200') latencies.push(now - sent);
    else failures++;
    answer = Buffer.alloc(0);
    if (now < end) send();
    else {
      socket.end();
      resolve();
    }
  });
  return promise;
}

const began = performance.now();
await Promise.all(Array.from({ length: Number(connections) }, keepBusy));
const took = (performance.now() - began) / 1_000;
process.stdout.write(
  JSON.stringify({
    perSecond: latencies.length / took,
    answers: latencies.length,
    failures,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  }),
);
