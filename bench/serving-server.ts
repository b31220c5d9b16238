/** One of the servers that `serving.ts` compares; says its address, and on request what it has used of the CPU. */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { startInference } from '../src/serving/inference-adapter.ts';
import { openTestServing } from '../src/serving/test-serving.ts';
import { treesModel, treesSignature } from '../tests/fixtures/onnx/tiny-models.ts';

const [kind = 'bare', folder = '.'] = process.argv.slice(2);
const features = 20;
const signature = treesSignature(features);
const bytes = treesModel({ trees: 100, depth: 6, features });

process.on('message', () => process.send?.(process.cpuUsage()));
process.on('disconnect', () => process.exit(0));
process.send?.(kind === 'bare' ? await bare() : await rondo());

/** `node:http`, a parsed body, the same threads and batches, and an answer: nothing is checked, routed, counted or logged. */
async function bare(): Promise<string> {
  const path = join(folder, 'bare.onnx');
  await writeFile(path, bytes);
  const inference = await startInference({ concurrency: 1 });
  const lease = await inference.load({ key: 'trees@1', path, ...signature });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { inputs } = JSON.parse(Buffer.concat(chunks).toString()) as {
        inputs: [{ shape: number[]; data: number[] }];
      };
      const [{ shape, data }] = inputs;
      const { outputs } = await lease.run({ rows: shape[0] ?? 1, shapes: [shape], values: [data] });
      const answer = JSON.stringify({
        model_name: 'trees',
        outputs: outputs.map((output, index) => ({
          name: signature.outputs[index]?.name,
          shape: output.shape,
          datatype: signature.outputs[index]?.datatype,
          data: Array.from(output.data as Float32Array, Number),
        })),
      });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
      response.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return `http://127.0.0.1:${address.port}/v2/models/trees/infer`;
}

async function rondo(): Promise<string> {
  const serving = await openTestServing({ folder });
  const bins = { kind: 'numeric', edges: Array.from({ length: 19 }, (_, i) => (i + 1) / 20) } as const;
  const named = Array.from({ length: features }, (_, i) => [`input[${i}]`, bins] as const);
  const version = { model: 'trees', version: 1 };
  await serving.addVersion(
    { ...version, ...signature, bins: { features: Object.fromEntries(named), score: bins } },
    bytes,
  );
  const log = kind === 'durable' ? 'durable' : 'buffered';
  await serving.addEndpoint({ name: 'trees', task: 'binary', log }, { champion: version });
  const url = await serving.app.listen({ host: '127.0.0.1', port: 0 });
  return `${url}/v2/models/trees/infer`;
}
