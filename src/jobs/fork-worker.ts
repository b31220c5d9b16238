import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { heapShare, workerLimits } from './worker-limits.ts';

/** What a worker does not need and what its steps must not see. */
const secret = /^(DATABASE_URL|RONDO_|PG|AWS_|.*(TOKEN|SECRET|PASSWORD|API_?KEY))/i;

/**
 * Starts a role of the program as a child process. @param entry the program's entry, whose first argument names the role
 * @param role `worker` does jobs, `examine` reads one model file; what the latter prints is for its starter to read
 * @param keep names of variables that the child gets although they look secret
 */
export function forkWorker({
  entry,
  role = 'worker',
  env,
  keep = [],
}: {
  entry: string;
  role?: 'worker' | 'examine';
  env: Readonly<Record<string, string | undefined>>;
  keep?: readonly string[];
}): ChildProcess {
  const heapMebibytes = Math.floor(heapShare(workerLimits()) / 2 ** 20);
  const worker = fork(entry, [role], {
    serialization: 'advanced',
    // Not this process's own flags: a debugger's port is taken, and a test runner would run tests.
    execArgv: [`--max-old-space-size=${heapMebibytes}`],
    env: Object.fromEntries(Object.entries(env).filter(([name]) => keep.includes(name) || !secret.test(name))),
    // Standard output belongs to commands and their JSON; what a worker prints is a log.
    stdio: role === 'worker' ? ['ignore', 2, 2, 'ipc'] : ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  // Answers come first where there are too few cores; steps and threads that it starts inherit this.
  if (worker.pid !== undefined) {
    try {
      setPriority(worker.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // It has ended already, which its exit tells, or the system does not let us: then it works as fast as the rest.
    }
  }
  return worker;
}
