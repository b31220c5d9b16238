/** Ends process groups when this process is gone, however it went and whoever went with it. */
import { type ChildProcess, spawn } from 'node:child_process';

/** Reads the groups, and then waits: its standard input ends with the only process that holds the other side. */
const script = `groups=''
while read -r group; do groups="$groups -$group"; done
[ -z "$groups" ] || kill -KILL $groups 2>/dev/null`;

/** A shell watches from its own session, where no signal of the terminal reaches it. Disposing it lets the groups be. */
export class GroupGuard implements Disposable {
  #shell: ChildProcess | undefined;

  /** Call it in the turn that started the group: what dies in between is not watched yet. */
  watch(group: number): void {
    this.#shell ??= startShell();
    this.#shell.stdin?.write(`${group}\n`);
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
