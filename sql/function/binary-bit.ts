/** Single bytes and bits of bytea, and searching and trimming it. */
import { StreamError } from '../base/error.ts';
import { sha224 } from '../base/hash-digest.ts';
import { sha384, sha512 } from '../base/hash-sha512.ts';
import { family } from './define.ts';

const { functions, define } = family('binary');
export const binaryBitFunctions = functions;

function checkIndex(index: number | bigint, count: number): void {
  if (index >= 0 && index < count) return;
  throw new StreamError(
    'VALUE_ARRAY_SUBSCRIPT',
    `index ${index} out of valid range, 0..${count - 1}`,
  );
}

define(
  'set_byte',
  ['bytea', 'integer', 'integer'],
  'bytea',
  'bytes with one replaced',
  (bytes, at, value) => {
    checkIndex(at, bytes.length);
    return bytes.with(at, value & 255);
  },
);

/** PostgreSQL counts bits from the right of each byte. */
define('get_bit', ['bytea', 'bigint'], 'integer', 'bit at a position from 0', (bytes, at) => {
  checkIndex(at, bytes.length * 8);
  return ((bytes[Number(at / 8n)] ?? 0) >> Number(at % 8n)) & 1;
});

define(
  'set_bit',
  ['bytea', 'bigint', 'integer'],
  'bytea',
  'bytes with one bit replaced',
  (bytes, at, bit) => {
    checkIndex(at, bytes.length * 8);
    if (bit !== 0 && bit !== 1) {
      throw new StreamError('VALUE_INVALID_PARAMETER', 'new bit must be 0 or 1');
    }
    const byte = bytes[Number(at / 8n)] ?? 0;
    const mask = 1 << Number(at % 8n);
    return bytes.with(Number(at / 8n), bit === 1 ? byte | mask : byte & ~mask);
  },
);

define('bit_count', ['bytea'], 'bigint', 'number of bits that are set', (bytes) => {
  let count = 0;
  for (const byte of bytes) for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return BigInt(count);
});

/** 1-based place of a part, 0 when it is not there. */
define(
  'position',
  ['bytea', 'bytea'],
  'integer',
  'position of the second in the first',
  (bytes, part) => {
    for (let at = 0; at + part.length <= bytes.length; at++) {
      if (part.every((byte, i) => bytes[at + i] === byte)) return at + 1;
    }
    return 0;
  },
);

for (const [name, start, end] of [
  ['btrim', true, true],
  ['ltrim', true, false],
  ['rtrim', false, true],
] as const) {
  define(
    name,
    ['bytea', 'bytea'],
    'bytea',
    'bytes without the given ones at the ends',
    (bytes, set) => {
      let from = 0;
      let to = bytes.length;
      if (start) while (from < to && set.includes(bytes[from] ?? 0)) from++;
      if (end) while (to > from && set.includes(bytes[to - 1] ?? 0)) to--;
      return bytes.slice(from, to);
    },
  );
}

define('reverse', ['bytea'], 'bytea', 'bytes in reverse order', (bytes) => bytes.toReversed());
define('sha224', ['bytea'], 'bytea', 'SHA-224 digest', sha224);
define('sha384', ['bytea'], 'bytea', 'SHA-384 digest', sha384);
define('sha512', ['bytea'], 'bytea', 'SHA-512 digest', sha512);

/** The table of a reflected 32-bit CRC. */
function crcTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
}

for (const [name, polynomial, what] of [
  ['crc32', 0xedb88320, 'CRC-32'],
  ['crc32c', 0x82f63b78, 'CRC-32C'],
] as const) {
  const table = crcTable(polynomial);
  define(name, ['bytea'], 'bigint', `${what} checksum`, (bytes) => {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = (table[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
    return BigInt((crc ^ 0xffffffff) >>> 0);
  });
}
