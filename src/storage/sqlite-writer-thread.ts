/** Entry of the writer thread: one use case at a time in a savepoint, many of them in one COMMIT. */
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, openSqliteConnection, type SqliteConnection } from './sqlite-connection.ts';
import type { FromWriter, SqlFailure, ThreadOptions, ToWriter, WriterState } from './sqlite-protocol.ts';

const port = parentPort!; // this file is only ever started as a worker
const say = (message: FromWriter) => port.postMessage(message);

/** A COMMIT waits for more use cases at most this long, and takes at most this many. */
const maxWaitMs = 2;
const maxUseCases = 256;
const probeEveryMs = 500;

try {
  const connection = openSqliteConnection((workerData as ThreadOptions).path, 'writer'); // given by openSqliteThreads
  const writer = groupCommit(connection);
  port.on('message', (message: ToWriter) => {
    if (message.kind === 'run') writer.run(message);
    else if (message.kind === 'close') {
      writer.close();
      connection.close();
      port.close();
    } else writer.end(message);
  });
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'refused', failure: failureOf(error) });
}

function groupCommit(connection: SqliteConnection) {
  let state: WriterState = { kind: 'ready' };
  let probe: NodeJS.Timeout | undefined;
  /** Released use cases that wait for their COMMIT. */
  let released: number[] = [];
  let current: number | undefined;
  let openedAt = 0;

  function run({ id, useCase, sql, parameters }: ToWriter & { kind: 'run' }): void {
    try {
      if (useCase !== current) begin(useCase);
      else if (!connection.inTransaction()) throw new Error('the transaction of this use case was rolled back');
      say({ kind: 'done', id, result: connection.run(sql, parameters) });
    } catch (error) {
      const failure = failureOf(error);
      fault(failure); // first, so that whoever hears of the failure also sees the new state
      say({ kind: 'failed', id, failure });
    }
  }

  function begin(useCase: number): void {
    if (state.kind !== 'ready') throw new Error(state.reason);
    current = useCase;
    if (!connection.inTransaction()) {
      connection.exec('BEGIN IMMEDIATE');
      openedAt = performance.now();
    }
    connection.exec('SAVEPOINT use_case');
  }

  function end({ kind, useCase, waiting }: ToWriter & { kind: 'release' | 'rollback' }): void {
    if (useCase !== current) return; // its first statement never began
    current = undefined;
    if (!connection.inTransaction()) {
      if (kind === 'release') say({ kind: 'lost', useCases: [useCase], failure: { code: 0, message: 'rolled back' } });
      return;
    }
    try {
      if (kind === 'rollback') connection.exec('ROLLBACK TO use_case');
      connection.exec('RELEASE use_case');
      if (kind === 'release') released.push(useCase);
    } catch (error) {
      if (kind === 'release') released.push(useCase);
      fault(failureOf(error));
      lose(failureOf(error));
      return;
    }
    const keepOpen =
      waiting && state.kind === 'ready' && released.length < maxUseCases && performance.now() - openedAt < maxWaitMs;
    if (!keepOpen) commit();
  }

  function commit(): void {
    try {
      connection.exec('COMMIT');
    } catch (error) {
      fault(failureOf(error));
      lose(failureOf(error));
      return;
    }
    const useCases = released;
    released = [];
    if (useCases.length > 0) say({ kind: 'committed', useCases });
  }

  /** SQLite itself rolls everything back on some errors; whoever waits for that COMMIT has to hear it. */
  function fault(failure: SqlFailure): void {
    const primary = failure.code & 0xff;
    if (primary === sqliteFull) become({ kind: 'read-only', reason: failure.message });
    else if (brokenCodes.has(primary)) become({ kind: 'broken', reason: failure.message });
    if (state.kind === 'broken' || !connection.inTransaction()) lose(failure);
  }

  function lose(failure: SqlFailure): void {
    if (connection.inTransaction()) {
      try {
        connection.exec('ROLLBACK');
      } catch (error) {
        become({ kind: 'broken', reason: failureOf(error).message });
      }
    }
    const useCases = released;
    released = [];
    if (useCases.length > 0) say({ kind: 'lost', useCases, failure });
  }

  function become(next: WriterState): void {
    if (state.kind === 'broken' || (state.kind === 'read-only' && next.kind === 'read-only')) return;
    state = next;
    say({ kind: 'state', state });
    clearInterval(probe);
    if (next.kind === 'read-only') probe = setInterval(lookForSpace, probeEveryMs);
  }

  /** Free space as the file system tells it knows nothing of quotas: only a write that reached the disk shows that it can. */
  function lookForSpace(): void {
    if (current !== undefined || connection.inTransaction()) return;
    try {
      connection.exec('BEGIN IMMEDIATE');
      connection.exec('CREATE TABLE storage_probe (filler BLOB)');
      connection.exec('INSERT INTO storage_probe VALUES (randomblob(262144))');
      connection.exec('COMMIT');
      connection.exec('DROP TABLE storage_probe');
      become({ kind: 'ready' });
    } catch (error) {
      fault(failureOf(error));
      lose(failureOf(error));
    }
  }

  function close(): void {
    clearInterval(probe);
    // The main thread has let every use case end before; what is still open belongs to nobody.
    lose({ code: 0, message: 'the database is closing' });
  }

  return { run, end, close };
}

const sqliteFull = 13;
/** I/O error, corrupt file, not a database. After a failed fsync the kernel may have dropped pages, so no retry is honest. */
const brokenCodes = new Set([10, 11, 26]);
