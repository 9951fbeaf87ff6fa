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

for (const name of ['random', 'rand']) {
  define(
    name,
    [],
    'double',
    'random number from 0 (inclusive) to 1',
    () => Math.random(),
    volatile,
  );
}

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
/** ksqlDB's and Flink's, which have no type for it. */
define('uuid', [], 'text', 'random UUID (version 4) as text', () => crypto.randomUUID(), volatile);
define('uuidv4', [], 'uuid', 'random UUID (version 4)', () => crypto.randomUUID(), volatile);

define('uuidv7', [], 'uuid', 'UUID that grows with time (version 7)', () => timedUuid(0), volatile);
define(
  'uuidv7',
  ['interval'],
  'uuid',
  'UUID that grows with time (version 7), of now plus an interval',
  ({ months, days, micros }) =>
    timedUuid((months * 30 + days) * 86_400_000 + Number(micros / 1000n)),
  volatile,
);

/** RFC 9562, version 7: 48 bits of milliseconds, then random ones. */
function timedUuid(shiftMs: number): string {
  const time = BigInt(Math.trunc(Date.now() + shiftMs)) & 0xffff_ffff_ffffn;
  const digits = time.toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7${crypto.randomUUID().slice(15)}`;
}

define(
  'random_normal',
  [],
  'double',
  'random number of the standard normal distribution',
  () => normal(0, 1),
  volatile,
);
define(
  'random_normal',
  ['double'],
  'double',
  'random number of the normal distribution with a mean',
  (mean) => normal(mean, 1),
  volatile,
);
define(
  'random_normal',
  ['double', 'double'],
  'double',
  'random number of the normal distribution with a mean and a standard deviation',
  normal,
  volatile,
);

/** Box and Muller's transform. */
function normal(mean: number, deviation: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * Math.random());
}

/** Microseconds from 1582-10-15, where the time of versions 1 and 6 begins, to 1970. */
const GREGORIAN_MICROS = 12_219_292_800_000_000n;

define(
  'uuid_extract_timestamp',
  ['uuid'],
  'timestamptz',
  'time in a UUID of version 1 or 7 of RFC 9562',
  (uuid) => {
    const digits = uuid.replaceAll('-', '');
    const variant = Number.parseInt(digits.charAt(16), 16);
    if (variant < 8 || variant > 11) return null;
    if (digits.charAt(12) === '7') return BigInt(`0x${digits.slice(0, 12)}`) * 1000n;
    if (digits.charAt(12) !== '1') return null;
    const ticks = BigInt(`0x${digits.slice(13, 16)}${digits.slice(8, 12)}${digits.slice(0, 8)}`);
    return ticks / 10n - GREGORIAN_MICROS;
  },
);

define('uuid_extract_version', ['uuid'], 'smallint', 'version of a UUID of RFC 9562', (uuid) => {
  const variant = Number.parseInt(uuid.charAt(19), 16);
  return variant >= 8 && variant < 12 ? Number.parseInt(uuid.charAt(14), 16) : null;
});
