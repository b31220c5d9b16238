/** Entry of a reader thread: answers one statement after another, each on its own snapshot. */
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, openSqliteConnection } from './sqlite-connection.ts';
import type { FromReader, ThreadOptions, ToReader } from './sqlite-protocol.ts';

const port = parentPort!; // this file is only ever started as a worker
const say = (message: FromReader) => port.postMessage(message);

try {
  const connection = openSqliteConnection((workerData as ThreadOptions).path, 'reader'); // given by openSqliteThreads
  port.on('message', (message: ToReader) => {
    if (message.kind === 'close') {
      connection.close();
      port.close();
      return;
    }
    const { id, sql, parameters } = message;
    try {
      say({ kind: 'done', id, result: connection.run(sql, parameters) });
    } catch (error) {
      say({ kind: 'failed', id, failure: failureOf(error) });
    }
  });
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'refused', failure: failureOf(error) });
}
