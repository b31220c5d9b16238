/** Chance that can be repeated: for simulations, resampling and samples that must come out the same tomorrow. */

export type Random = {
  /** Uniform on [0, 1), 32 bits fine. */
  readonly uniform: () => number;
  readonly normal: () => number;
  readonly chance: (probability: number) => boolean;
  /** A whole number from 0 to below `n`. */
  readonly below: (n: number) => number;
};

/** @see sfc32 of Chris Doty-Humphrey's PractRand: passes its tests, four words of state */
export function seededRandom(seed: number): Random {
  let a = seed | 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  // Near seeds start alike; a few rounds pull them apart.
  for (let i = 0; i < 15; i++) next();
  // Box–Muller gives two at a time.
  let spare: number | undefined;
  const normal = () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return {
    uniform: next,
    normal,
    chance: (probability) => next() < probability,
    below: (n) => Math.floor(next() * n),
  };
}
