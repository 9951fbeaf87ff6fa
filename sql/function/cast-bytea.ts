/** Integers as bytes in network order, and back: new in PostgreSQL 18. */

import type { CastRule } from './cast-rule.ts';
import { outOfRange } from './define.ts';

const widths = [
  ['smallint', 2],
  ['integer', 4],
  ['bigint', 8],
] as const;

/** Up to `width` bytes; fewer ones are the last of them. */
function integerFromBytes(bytes: Uint8Array, width: number): bigint | undefined {
  if (bytes.length > width) return undefined;
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * width, value);
}

function bytesFromInteger(value: number | bigint, width: number): Uint8Array {
  const bits = BigInt(value);
  return Uint8Array.from({ length: width }, (_, i) =>
    Number(BigInt.asUintN(8, bits >> BigInt(8 * (width - 1 - i)))),
  );
}

export const byteaCasts: readonly CastRule[] = widths.flatMap(([kind, width]): CastRule[] => [
  {
    from: kind,
    to: 'bytea',
    context: 'explicit',
    convert: () => (value: number | bigint) => bytesFromInteger(value, width),
  },
  {
    from: 'bytea',
    to: kind,
    context: 'explicit',
    convert: () => (bytes: Uint8Array) => {
      const value = integerFromBytes(bytes, width);
      if (value === undefined) throw outOfRange(kind);
      return kind === 'bigint' ? value : Number(value);
    },
  },
]);
