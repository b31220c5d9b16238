/** One of the two servers: sends calls to it and remembers the ids that it gave. */
import type { Answer } from './answer-differences.ts';
import type { Call } from './call.ts';

export type AskedServer = {
  /** @returns the answer with the names of ids in place of the ids */
  ask(call: Call): Promise<Answer>;
};

export function askedServer(url: string): AskedServer {
  const ids = new Map<string, string>(); // name -> id
  return {
    async ask({ method, path, params = {}, body, data, headers, keep = {} }) {
      const address = new URL(withIds(path), url);
      for (const [key, value] of Object.entries(params)) {
        for (const one of Array.isArray(value) ? value : [value])
          address.searchParams.append(key, withIds(String(one)));
      }
      const text = data ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await fetch(address, {
        method,
        headers: {
          ...(data === undefined && text !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(text !== undefined && { body: new TextEncoder().encode(withIds(text)) }),
        signal: AbortSignal.timeout(60_000),
      });
      const answer = parsed(await response.text());
      for (const [name, way] of Object.entries(keep)) {
        const id = at(answer, way);
        if (typeof id === 'string') ids.set(name, id);
      }
      return { status: response.status, body: withNames(answer) };
    },
  };

  function withIds(text: string): string {
    return text.replace(/[A-Z]+_\w+?_/g, (name) => ids.get(name) ?? name);
  }

  function withNames(value: unknown): unknown {
    if (typeof value === 'string') {
      let text = value;
      // Short ids are counted, by both servers alike.
      for (const [name, id] of ids) if (id.length > 8) text = text.replaceAll(id, name);
      return text;
    }
    if (Array.isArray(value)) return value.map(withNames);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withNames(one)]));
  }
}

/** JSON as Python writes it, where NaN is a number; integers that JavaScript cannot hold stay text. What is no JSON is one field. */
function parsed(text: string): unknown {
  const readable = text.replace(/(": ?)(NaN|-?Infinity)\b/g, '$1{"python": "$2"}');
  try {
    return JSON.parse(readable, exactly);
  } catch {
    return { text };
  }
}

function exactly(_key: string, value: unknown, ...more: unknown[]): unknown {
  const [context] = more as [{ source?: string } | undefined]; // ES2025, not yet in the types
  const isInexact = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isInexact && /^-?\d+$/.test(context?.source ?? '') ? context?.source : value;
}

function at(value: unknown, way: string): unknown {
  let found = value;
  for (const key of way.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}
