/** A process of its own: sends the files that another one left when it ended. */
import { text } from 'node:stream/consumers';
import { sendLeftFile } from './left-metrics.ts';
import type { Delivery } from './open-runs.ts';
import { restClient } from './rest-client.ts';

/** Somebody waits for the program to end. */
const patienceMs = 7_000;

const { files, ...server } = JSON.parse(await text(process.stdin)) as Delivery; // our own, see open-runs.ts
const rest = restClient({ ...server, patienceMs });
const alive = setInterval(() => {}, patienceMs); // sending alone keeps no program from its end
try {
  for (const file of files) await sendLeftFile(rest, file);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
}
clearInterval(alive);
