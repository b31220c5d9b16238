/** A bucket in an S3 of this machine: moto's server, as PyPI has it. Tests only. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { findPythonClients } from '../../tests/clients/python-env.ts';
import type { BucketSettings } from './artifact-bucket.ts';

const python = findPythonClients();
export const skipWithoutS3 = python === undefined && 'no S3 here: npm run setup:tests installs it';

/** What Amazon's own tools read. Any will do: this S3 lets everybody in. */
export const s3Credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

/** One server for the process, a fresh bucket for each call. */
export async function openTestBucket(): Promise<
  BucketSettings & { readonly endpoint: string; readonly client: S3Client }
> {
  Object.assign(process.env, s3Credentials);
  server ??= startServer();
  const { endpoint } = await server;
  buckets += 1;
  const [region, bucket] = ['us-east-1', `test-${buckets}`];
  const client = new S3Client({ endpoint, region, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return { uri: `s3://${bucket}/some/prefix`, endpoint, region, client };
}

let server: Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> | undefined;
let buckets = 0;
after(async () => (await server)?.stop());

async function startServer() {
  const port = await freePort();
  const child = spawn(join(String(python), '..', 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await fetch(endpoint).catch(() => undefined)); tries++) {
    if (child.exitCode !== null || tries > 600) throw new Error(`moto's server does not start (${child.exitCode})`);
    await wait(100);
  }
  return {
    endpoint,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

/** Free now; moto tells nobody which one it took. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo; // a TCP server that listens has one
  await promisify(probe.close.bind(probe))();
  return port;
}
