/**
 * How long a bad version goes on answering after the command to roll back, under load: from the command's arrival to the last answer of
 * the bad version, and how many requests failed meanwhile. `node bench/rollback.ts [rounds] [connections]`
 */
import { openTestServing } from '../src/serving/test-serving.ts';
import { linearModel, linearSignature } from '../tests/fixtures/onnx/tiny-models.ts';

const [rounds = '20', connections = '16'] = process.argv.slice(2);
await using serving = await openTestServing();
for (const version of [1, 2]) {
  await serving.addVersion({ model: 'm', version, ...linearSignature }, linearModel({ weight: version, bias: 0 }));
}
const [good, bad] = [1, 2].map((version) => ({ model: 'm', version }));
if (!good || !bad) throw new Error('two versions are needed');
await serving.addEndpoint({ name: 'e' }, { champion: good });
const url = await serving.app.listen({ host: '127.0.0.1', port: 0 });
const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [1] }] });
const headers = { 'content-type': 'application/json' };

let running = true;
let answers = 0;
let failures = 0;
let lastBad = 0;
const clients = Array.from({ length: Number(connections) }, async () => {
  while (running) {
    const answer = await fetch(`${url}/v2/models/e/infer`, { method: 'POST', headers, body });
    const { model_version: version } = (await answer.json()) as { model_version?: string };
    answers++;
    if (answer.status !== 200) failures++;
    if (version === '2') lastBad = performance.now();
  }
});

const times: { last: number; command: number }[] = [];
for (let round = 0; round < Number(rounds); round++) {
  await serving.setTraffic('e', { champion: bad, previous: good });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const began = performance.now();
  await fetch(`${url}/api/v1/endpoints/e/rollback`, { method: 'POST' });
  const command = performance.now() - began;
  await new Promise((resolve) => setTimeout(resolve, 200));
  times.push({ command, last: lastBad - began });
}
running = false;
await Promise.all(clients);

const show = (name: 'last' | 'command') => {
  const ordered = times.map((time) => time[name]).sort((a, b) => a - b);
  const at = (p: number) => (ordered[Math.min(ordered.length - 1, Math.floor(p * ordered.length))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, greatest ${at(1)} ms`;
};
console.log(`${times.length} rollbacks under ${connections} connections, ${answers} answers, ${failures} failed`);
console.log(`command to its answer:             ${show('command')}`);
console.log(`command to last bad answer seen:   ${show('last')}`);
