/** Values and names as SQL text, for DuckDB, whose table functions take no parameters. */

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** DuckDB's type names, reduced to what a person asks about. */
export function valueTypeOf(type: string): 'integer' | 'number' | 'text' | 'boolean' | 'time' | 'other' {
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return 'integer';
  if (/^(FLOAT|DOUBLE|DECIMAL)/.test(type)) return 'number';
  if (/^(VARCHAR|ENUM|UUID)/.test(type)) return 'text';
  if (type === 'BOOLEAN') return 'boolean';
  if (/^(DATE|TIME)/.test(type)) return 'time';
  return 'other';
}

export function isFloat(type: string): boolean {
  return type === 'FLOAT' || type === 'DOUBLE';
}
