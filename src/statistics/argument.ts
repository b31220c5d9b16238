/** Checks of numbers where they enter: a wrong one is a RangeError that names the argument. */

export function requireShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is ${value}; a share lies between 0 and 1`);
}

/** Strictly between 0 and 1, as an error rate or a confidence level must be. */
export function requireLevel(name: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new RangeError(`${name} is ${value}; it lies strictly between 0 and 1`);
}

export function requirePositive(name: string, value: number): void {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new RangeError(`${name} is ${value}; it must be positive`);
}

export function requireCount(name: string, value: number): void {
  if (!(value >= 0 && Number.isInteger(value))) throw new RangeError(`${name} is ${value}; a count is a whole number`);
}

export function requireSameLength(name: string, left: ArrayLike<unknown>, right: ArrayLike<unknown>): void {
  if (left.length !== right.length) throw new RangeError(`${name} have ${left.length} and ${right.length} entries`);
}

export function requireSome(name: string, values: ArrayLike<unknown>): void {
  if (values.length === 0) throw new RangeError(`${name} is empty`);
}

/** Finite numbers only: NaN in a sample would silently become NaN in the answer. */
export function requireFinite(name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new RangeError(`${name}[${i}] is ${values[i]}`);
  }
}
