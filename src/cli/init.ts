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
        output.hint('Next: edit it, then `rondo up` in this folder, and `rondo run` in another terminal.');
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

/** Each part can be there from the start: what is not used yet waits. */
function template(project: string, source: string): string {
  return `# yaml-language-server: $schema=http://127.0.0.1:5000/api/v1/schema/rondo.json
# The line above lets editors complete this file while \`rondo up\` runs.
project: ${project}
data:
  examples:
    source: ${JSON.stringify(source)}
    checks: []                      # \`rondo data infer examples\` suggests some
pipeline:
  train:
    run: python train.py            # finds the data at $RONDO_DATA_EXAMPLES
    reads: [examples, train.py]
    seed: 42
    model: out/model.onnx           # what it must write: each run makes it a version of the model
    writes: [out/test.parquet]      # rows it did not train on, with the truth
model:
  name: ${project}
  task: binary                      # binary | multiclass | regression
  target: label                     # the column with the truth
gates:                              # what a version must pass before it may serve
  data: out/test.parquet
  tests:
    - {metric: auc, atLeast: 0.6}
    - {metric: log_loss, notWorseThan: champion, margin: 0.01}
endpoint:
  name: ${nameFrom(project)}
rollout:                            # how the next version takes over
  steps: [{to: 10%, min: 50}, {to: 50%, min: 200}]
  guardrails: [{errors: {margin: 1%}}]
`;
}
