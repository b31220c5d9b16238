/** Options of the programs: `--name value`, then the environment, then what is written here. */
import { parseArgs } from 'node:util';

/** @param defaults names in camelCase with their defaults; `--learning-rate 0.2` sets learningRate. Numbers stay numbers, booleans are flags. */
export function readOptions<T extends Record<string, string | number | boolean>>(
  defaults: T,
  args = process.argv.slice(2),
): T {
  const flags = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      kebab(name),
      { type: typeof value === 'boolean' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { values } = parseArgs({ args, options: flags });
  const entries = Object.entries(defaults).map(([name, standard]) => {
    const given = values[kebab(name)];
    if (given === undefined) return [name, standard];
    if (typeof standard !== 'number') return [name, given];
    const number = Number(given);
    if (given === '' || !Number.isFinite(number)) throw new RangeError(`--${kebab(name)} is not a number: ${given}`);
    return [name, number];
  });
  return Object.fromEntries(entries) as T; // the same names, each with the type of its default
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
