/**
 * Randomness addressed by number: `start(n)` begins the same sequence again whenever it is called with the
 * same n, which is what makes a generated stream resumable from any offset.
 */
export class NumberedRandom {
  readonly #seed: number;
  #state = 0;

  constructor(seed: number) {
    this.#seed = mix(seed | 0);
  }

  start(n: number): void {
    const low = n | 0;
    const high = Math.floor(n / 4294967296) | 0;
    this.#state = mix(mix(low ^ this.#seed) + Math.imul(high, 0x9e3779b9));
  }

  /** 32 random bits as an unsigned number. Tommy Ettinger's Mulberry32 (public domain). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  }

  /** 0 to bound - 1; `bound` up to 2^32. */
  below(bound: number): number {
    return Math.floor(this.bits() * (bound / 4294967296));
  }

  /** At least 0, below 1, with 53 random bits. */
  fraction(): number {
    return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }
}

/** The finalizer of MurmurHash3: every bit of the input reaches every bit of the output. */
function mix(value: number): number {
  let z = value;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
