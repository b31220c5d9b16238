import { PlatformError } from '../errors.ts';

/** `flight-delay@3`, `flight-delay/3` or `flight-delay`. @throws PlatformError cli/usage */
export function versionOf(text: string): { readonly model: string; readonly version?: number } {
  const match = /^(.+?)(?:[@/]v?(\d+))?$/.exec(text);
  if (!match?.[1]) throw new PlatformError('cli/usage', text, { hint: 'write a version as model@3' });
  return { model: match[1], ...(match[2] !== undefined && { version: Number(match[2]) }) };
}
