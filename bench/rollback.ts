/**
 * How long a bad version goes on answering after the command to roll back, under load from another process: from sending the command
 * to the last answer of the bad version that arrived, and how many requests failed meanwhile.
 * `node bench/rollback.ts [rounds] [connections]`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openTestServing } from '../src/serving/test-serving.ts';
import { linearModel, linearSignature } from '../tests/fixtures/onnx/tiny-models.ts';
import { quantile } from './quantile.ts';

const [rounds = '20', connections = '16', target] = process.argv.slice(2);
if (target === undefined) await measure();
else await load(target);

async function measure(): Promise<void> {
  await using serving = await openTestServing();
  for (const version of [1, 2]) {
    await serving.addVersion({ model: 'm', version, ...linearSignature }, linearModel({ weight: version, bias: 0 }));
  }
  const good = { model: 'm', version: 1 };
  await serving.addEndpoint({ name: 'e' }, { champion: good });
  const url = await serving.app.listen({ host: '127.0.0.1', port: 0 });
  const client = fork(import.meta.filename, [rounds, connections, url]);
  const times: number[] = [];
  const commands: number[] = [];
  for (let round = -5; round < Number(rounds); round++) {
    await serving.setTraffic('e', { champion: { model: 'm', version: 2 }, previous: good });
    client.send('roll back');
    const [{ last, command }] = (await once(client, 'message')) as [{ last: number; command: number }];
    if (round < 0) continue; // compilers
    times.push(last);
    commands.push(command);
  }
  client.send('end');
  const [{ answers, failures }] = (await once(client, 'message')) as [{ answers: number; failures: number }];
  client.disconnect();
  console.log(`${rounds} rollbacks under ${connections} connections: ${answers} answers, ${failures} failed`);
  console.log(`command to its answer:                ${show(commands)}`);
  console.log(`command to the last bad answer seen:  ${show(times)}`);
}

async function load(url: string): Promise<void> {
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [1] }] });
  const headers = { 'content-type': 'application/json' };
  let running = true;
  let answers = 0;
  let failures = 0;
  let lastBad = 0;
  const clients = Array.from({ length: Number(connections) }, async () => {
    while (running) {
      const answer = await fetch(`${url}/v2/models/e/infer`, { method: 'POST', headers, body });
      const text = await answer.text();
      answers++;
      if (answer.status !== 200) failures++;
      if (text.includes('"model_version":"2"')) lastBad = performance.now();
    }
  });
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  process.on('message', async (message) => {
    if (message === 'end') {
      running = false;
      await Promise.all(clients);
      process.send?.({ answers, failures });
      return;
    }
    await wait(200);
    const began = performance.now();
    await fetch(`${url}/api/v1/endpoints/e/rollback`, { method: 'POST' });
    const command = performance.now() - began;
    await wait(300);
    process.send?.({ command, last: lastBad - began });
  });
}

function show(times: readonly number[]): string {
  const at = (p: number) => quantile(times, p).toFixed(1);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, greatest ${at(1)} ms`;
}
