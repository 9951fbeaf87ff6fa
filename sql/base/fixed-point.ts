/** Doubles as exact integers, for sums that lose nothing. */

const bits = new DataView(new ArrayBuffer(8));

/** A finite double as a multiple of 2^-1074. */
export function toFixedPoint(value: number): bigint {
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const magnitude =
    exponent === 0 ? fraction : (fraction | 0x10000000000000n) << BigInt(exponent - 1);
  return value < 0 ? -magnitude : magnitude;
}

/** numerator / denominator (positive) as the nearest double or its neighbour. */
export function fixedPointRatio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  if (numerator < 0n) return -fixedPointRatio(-numerator, denominator);
  const shift = numerator.toString(2).length - denominator.toString(2).length - 64;
  const quotient =
    shift > 0
      ? numerator / (denominator << BigInt(shift))
      : (numerator << BigInt(-shift)) / denominator;
  // Two steps, because 2^shift alone may be out of range where the product is not.
  const half = Math.trunc(shift / 2);
  return Number(quotient) * 2 ** half * 2 ** (shift - half);
}
