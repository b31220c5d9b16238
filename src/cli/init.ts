/** `rondo init`: a rondo.yaml to begin with. */
import { access, appendFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlatformError } from '../errors.ts';
import type { DefineCommand } from './command.ts';

export const define: DefineCommand = (command, { output, cwd }) => {
  command
    .option('--name <project>', "the project's name; the folder's without it")
    .option('--data-source <file>', 'the training data', 'data/train.parquet')
    .option('--force', 'replace a rondo.yaml that is there')
    .option('--dry-run', 'show it and write nothing')
    .action(
      async ({
        name,
        dataSource,
        force,
        dryRun,
      }: {
        name?: string;
        dataSource: string;
        force?: boolean;
        dryRun?: boolean;
      }) => {
        const project = name ?? nameFrom(basename(cwd));
        const text = template(project, dataSource);
        const { parseProject } = await import('../lifecycle/project-file.ts');
        parseProject(text); // a name that cannot be is told before anything is written
        const file = join(cwd, 'rondo.yaml');
        if (dryRun) return output.result({ file, text }, () => text);
        const exists = await access(file).then(
          () => true,
          () => false,
        );
        if (exists && !force)
          throw new PlatformError('cli/usage', file, {
            message: `${file} is there already.`,
            hint: 'replace it with --force',
          });
        await writeFile(file, text);
        await ignoreData(join(cwd, '.gitignore'));
        output.result({ file, project }, () => `Wrote ${file}`);
        output.hint('Next: edit it, then `rondo up` in this folder, and `rondo run`.');
      },
    );
};

function nameFrom(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 60);
  return name === '' ? 'project' : name;
}

async function ignoreData(file: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '');
  if (!before.split('\n').includes('rondo-data/'))
    await appendFile(file, `${before === '' || before.endsWith('\n') ? '' : '\n'}rondo-data/\n`);
}

function template(project: string, source: string): string {
  return `# What Rondo does with this project. Editors complete it with the schema of a running server: /api/v1/schema/rondo.json
project: ${project}
data:
  examples:
    source: ${JSON.stringify(source)}
    checks: []                    # \`rondo data infer examples\` suggests some
pipeline:
  train:
    run: python train.py          # logs with mlflow as it is, or writes the model named below
    reads: [examples, train.py]
    seed: 42
    model: out/model.onnx
model:
  name: ${project}
  task: binary                    # binary | multiclass | regression
  target: label
`;
}
