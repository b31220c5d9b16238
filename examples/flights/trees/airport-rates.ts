/** An airport as a number: how often flights that touch it were late, pulled towards the mean where there were few. */

export type AirportRates = { readonly mean: number; readonly rates: ReadonlyMap<string, number> };

/** Flights' worth of the mean that every airport starts with. */
const prior = 100;

/** (late + 100·mean) / (n + 100) by airport, as 32 bits. */
export function airportRates(airports: readonly string[], labels: Uint8Array): AirportRates {
  const counts = new Map<string, { n: number; late: number }>();
  let late = 0;
  airports.forEach((airport, row) => {
    const count = counts.get(airport) ?? { n: 0, late: 0 };
    count.n++;
    count.late += labels[row] ?? 0;
    late += labels[row] ?? 0;
    counts.set(airport, count);
  });
  const mean = late / airports.length;
  const names = [...counts.keys()].sort();
  const rateOf = (name: string) => {
    const { n, late: lateHere } = counts.get(name) ?? { n: 0, late: 0 };
    return Math.fround((lateHere + prior * mean) / (n + prior));
  };
  return { mean: Math.fround(mean), rates: new Map(names.map((name) => [name, rateOf(name)])) };
}

/** An airport that training did not see counts as an average one, here and in the model file. */
export const encode = (airports: readonly string[], { mean, rates }: AirportRates): Float32Array =>
  Float32Array.from(airports, (airport) => rates.get(airport) ?? mean);
