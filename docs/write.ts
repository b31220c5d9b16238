/** `npm run docs`: writes the pages that are made from the sources. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandsPage } from './commands.ts';
import { errorsPage } from './errors.ts';
import { mlflowPage } from './mlflow.ts';
import { projectFilePage } from './rondo-yaml.ts';

const folder = join(import.meta.dirname, 'reference');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'errors.md'), errorsPage());
await writeFile(join(folder, 'cli.md'), await commandsPage());
await writeFile(join(folder, 'mlflow-compatibility.md'), mlflowPage());
await writeFile(join(folder, 'rondo-yaml.md'), projectFilePage());
