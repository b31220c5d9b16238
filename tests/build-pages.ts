/** The pages that tests look at are those of the sources: what was built before somebody changed them is built again. */
import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const sources = ['ui/**/*.*', 'package-lock.json'];

/** Before the tests begin: two that built at once would take the files from each other. */
export function buildPages(): void {
  const built = changedAt('dist/ui/index.html');
  const isFresh = sources.every((pattern) =>
    globSync(pattern, { cwd: root }).every((file) => (changedAt(file) ?? 0) < (built ?? 0)),
  );
  if (isFresh) return;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', 'ui', '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' });
}

const changedAt = (file: string): number | undefined => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs;
