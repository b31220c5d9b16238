/** `6 kB`, `1.9 MB`. */
export function size(bytes: number): string {
  const unit = bytes < 1e3 ? ['B', 1] : bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  const value = bytes / Number(unit[1]);
  return `${value < 10 && unit[1] !== 1 ? value.toFixed(1) : Math.round(value)} ${unit[0]}`;
}
