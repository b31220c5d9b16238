/** Entry of an inference thread: holds sessions and runs one batch after another, since onnxruntime blocks the thread it runs on. */
import { parentPort } from 'node:worker_threads';
import type { FromInference, ToInference } from './inference-message.ts';
import { messageOf, openSession, runSession, type Session, warmUp } from './session-adapter.ts';

const port = parentPort!; // this file is only ever started as a worker
const sessions = new Map<string, Session>();
let last: Promise<void> = Promise.resolve();

port.on('message', (message: ToInference) => {
  last = last.then(() => handle(message));
});

async function handle(message: ToInference): Promise<void> {
  switch (message.kind) {
    case 'load':
      say(await load(message));
      return;
    case 'unload': {
      const loaded = sessions.get(message.key);
      sessions.delete(message.key);
      await loaded?.session.release();
      return;
    }
    case 'close':
      port.close();
      return;
    case 'run':
      try {
        // The adapter sends batches only where it has loaded.
        const ran = await runSession(sessions.get(message.key) as Session, message);
        port.postMessage({ kind: 'ran', ...ran } satisfies FromInference, [ran.tensors.numbers]);
      } catch (error) {
        say({ kind: 'failed', message: messageOf(error) });
      }
  }
}

async function load({ key, ...file }: Extract<ToInference, { kind: 'load' }>): Promise<FromInference> {
  try {
    const loaded = await openSession(file);
    sessions.set(key, loaded);
    return { kind: 'loaded', key, ...(await warmUp(loaded)) };
  } catch (error) {
    return { kind: 'refused', key, message: messageOf(error) };
  }
}

const say = (message: FromInference): void => port.postMessage(message);
