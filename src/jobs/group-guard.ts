/** Ends process groups when this process is gone, however it went and whoever went with it. */
import { type ChildProcess, spawn } from 'node:child_process';

/** Reads the groups, and then waits: its standard input ends with the only process that holds the other side. */
const script = `groups=''
while read -r group; do groups="$groups -$group"; done
[ -z "$groups" ] || kill -KILL $groups 2>/dev/null`;

/** A shell watches from its own session, where no signal of the terminal reaches it. Disposing it lets the groups be. */
export class GroupGuard implements Disposable {
  #shell: ChildProcess | undefined;

  /**
   * Starts a process that leads a group, and names the group to the shell, which is there already: on a busy machine its start may
   * take longer than the process needs to do harm. What dies between the two is not watched yet.
   */
  start<P extends { readonly pid?: number | undefined }>(start: () => P): P {
    this.#shell ??= startShell();
    const leader = start();
    if (leader.pid !== undefined) this.#shell.stdin?.write(`${leader.pid}\n`);
    return leader;
  }

  [Symbol.dispose](): void {
    this.#shell?.kill('SIGKILL');
  }
}

function startShell(): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const unwatched = (error: Error): void =>
    void process.stderr.write(`A step may outlive a crash of this server: ${error.message}\n`);
  shell.on('error', unwatched);
  // It ends before its input when it is disposed.
  shell.stdin?.on('error', () => {});
  shell.unref();
  return shell;
}
