/**
 * random() and gen_random_uuid(): the only functions whose value depends on nothing but chance. They
 * are volatile, so plans that must be repeatable refuse them.
 */
import { StreamError } from '../base/error.ts';
import { Numeric } from '../base/numeric.ts';
import { family } from './define.ts';

const { functions, define } = family('math');
export const randomFunctions = functions;

const volatile = { volatility: 'volatile' } as const;

function randomBits(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] as bigint;
}

define(
  'random',
  [],
  'double',
  'random number from 0 (inclusive) to 1',
  () => Math.random(),
  volatile,
);

function checkBounds(ordered: boolean): void {
  if (ordered) return;
  throw new StreamError(
    'VALUE_INVALID_PARAMETER',
    'lower bound must be less than or equal to upper bound',
  );
}

/** A random integer from low to high, both included; the bias of 2^-64 a value does not show. */
function between(low: bigint, high: bigint): bigint {
  checkBounds(low <= high);
  return low + (((randomBits() << 64n) | randomBits()) % (high - low + 1n));
}

define(
  'random',
  ['integer', 'integer'],
  'integer',
  'random number between two, both included',
  (low, high) => Number(between(BigInt(low), BigInt(high))),
  volatile,
);
define(
  'random',
  ['bigint', 'bigint'],
  'bigint',
  'random number between two, both included',
  between,
  volatile,
);
define(
  'random',
  ['numeric', 'numeric'],
  'numeric',
  'random number between two, both included',
  (low, high) => {
    const scale = Math.max(low.scale, high.scale);
    checkBounds(low.compare(high) <= 0);
    return new Numeric(between(low.unscaledAt(scale), high.unscaledAt(scale)), scale);
  },
  volatile,
);

/** RFC 9562, version 4. */
define(
  'gen_random_uuid',
  [],
  'uuid',
  'random UUID (version 4)',
  () => crypto.randomUUID(),
  volatile,
);
define('uuidv4', [], 'uuid', 'random UUID (version 4)', () => crypto.randomUUID(), volatile);

define('uuid_extract_version', ['uuid'], 'smallint', 'version of a UUID of RFC 9562', (uuid) => {
  const variant = Number.parseInt(uuid.charAt(19), 16);
  return variant >= 8 && variant < 12 ? Number.parseInt(uuid.charAt(14), 16) : null;
});
