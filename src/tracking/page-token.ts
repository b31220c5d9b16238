/** MLflow's page tokens: base64 of a JSON object with the offset of the next page. */
import { Buffer } from 'node:buffer';
import { invalid, pythonString } from './names.ts';

export const pageToken = (offset: number): string => Buffer.from(`{"offset": ${offset}}`).toString('base64');

/** @returns 0 for no token  @throws PlatformError `tracking/invalid` */
export function offsetOf(token: string | undefined): number {
  if (!token) return 0;
  // Python's decoder skips what is not of its alphabet, and then wants whole groups of four.
  if (token.replace(/[^A-Za-z0-9+/=]/g, '').length % 4 !== 0) {
    throw invalid('page_token', 'Invalid page token, could not base64-decode');
  }
  const text = Buffer.from(token, 'base64').toString('latin1');
  const parsed = parse(text);
  if (parsed === undefined) throw invalid('page_token', `Invalid page token, decoded value=b${pythonString(text)}`);
  const offset = typeof parsed === 'object' && parsed !== null && 'offset' in parsed ? Number(parsed.offset) : 0;
  if (!Number.isSafeInteger(offset) || offset <= 0) {
    throw invalid('page_token', `Invalid page token, parsed value=${JSON.stringify(parsed)}`);
  }
  return offset;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a token that is no JSON is answered as such by the caller
  }
}
