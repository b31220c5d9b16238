/** Times in filters, as dates: `'2026-11-01'`, `'2026-11-01 08:30'`, `'2026-11-01T08:30:00.250+01:00'`. Without a zone they are UTC. */

/** @returns milliseconds since 1970; undefined when it is no ISO 8601 date, or one that no calendar has */
export function timeOf(text: string): number | undefined {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!found) return undefined;
  const [, day = '', clock = '00:00', zone = 'Z'] = found;
  const midnight = new Date(`${day}T00:00Z`);
  // Date takes the 31st of February for the 3rd of March.
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return undefined;
  const time = Date.parse(`${day}T${clock}${zone}`);
  return Number.isNaN(time) ? undefined : time;
}
