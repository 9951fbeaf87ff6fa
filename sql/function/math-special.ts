/** Trigonometry in degrees, the error function and the gamma function. */

import { StreamError } from '../base/error.ts';
import { complementaryErrorFunction, errorFunction, gamma, logGamma } from '../base/gamma.ts';
import { family } from './define.ts';

const { functions, define } = family('math');
export const mathSpecialFunctions = functions;

const radians = (degrees: number): number => degrees * (Math.PI / 180);

/**
 * Values on the first arc are scaled so that sin(30), cos(60) and tan(45) come out exact, as PostgreSQL promises; the
 * rest of the circle is folded onto it.
 */
const sine30 = Math.sin(radians(30));
const versine60 = 1 - Math.cos(radians(60));
const sineTo30 = (x: number): number => Math.sin(radians(x)) / sine30 / 2;
const cosineTo60 = (x: number): number => 1 - (1 - Math.cos(radians(x))) / versine60 / 2;
const sineTo90 = (x: number): number => (x <= 30 ? sineTo30(x) : cosineTo60(90 - x));
const cosineTo90 = (x: number): number => (x <= 60 ? cosineTo60(x) : sineTo30(90 - x));
const tangent45 = sineTo90(45) / cosineTo90(45);
const cotangent45 = cosineTo90(45) / sineTo90(45);

interface Folded {
  /** Degrees from 0 to 90. */
  readonly angle: number;
  /** Signs of sine and cosine. */
  readonly sine: number;
  readonly cosine: number;
}

function fold(degrees: number): Folded {
  if (degrees === Number.POSITIVE_INFINITY || degrees === Number.NEGATIVE_INFINITY) {
    throw new StreamError('VALUE_OUT_OF_RANGE', 'input is out of range');
  }
  let angle = degrees % 360;
  let sine = 1;
  let cosine = 1;
  if (angle < 0) {
    angle = -angle;
    sine = -sine;
  }
  if (angle > 180) {
    angle = 360 - angle;
    sine = -sine;
  }
  if (angle > 90) {
    angle = 180 - angle;
    cosine = -cosine;
  }
  return { angle, sine, cosine };
}

/** Without the minus of zero. */
const plain = (value: number): number => (value === 0 ? 0 : value);

for (const [name, compute] of [
  ['sind', ({ angle, sine }) => sine * sineTo90(angle)],
  ['cosd', ({ angle, cosine }) => cosine * cosineTo90(angle)],
  [
    'tand',
    ({ angle, sine, cosine }) =>
      plain((sine * cosine * (sineTo90(angle) / cosineTo90(angle))) / tangent45),
  ],
  [
    'cotd',
    ({ angle, sine, cosine }) =>
      plain((sine * cosine * (cosineTo90(angle) / sineTo90(angle))) / cotangent45),
  ],
] as const satisfies readonly (readonly [string, (folded: Folded) => number])[]) {
  define(name, ['double'], 'double', `${name.slice(0, 3)} of an angle in degrees`, (degrees) =>
    Number.isNaN(degrees) ? degrees : compute(fold(degrees)),
  );
}

const arcSineHalf = Math.asin(0.5);
const arcCosineHalf = Math.acos(0.5);
const arcTangentOne = Math.atan(1);
const arcSineTo1 = (x: number): number =>
  x <= 0.5 ? (Math.asin(x) / arcSineHalf) * 30 : 90 - (Math.acos(x) / arcCosineHalf) * 60;
const arcCosineTo1 = (x: number): number =>
  x <= 0.5 ? 90 - (Math.asin(x) / arcSineHalf) * 30 : (Math.acos(x) / arcCosineHalf) * 60;

for (const [name, compute] of [
  ['asind', (x: number) => (x >= 0 ? arcSineTo1(x) : -arcSineTo1(-x))],
  ['acosd', (x: number) => (x >= 0 ? arcCosineTo1(x) : 90 + arcSineTo1(-x))],
] as const) {
  define(name, ['double'], 'double', `${name.slice(0, 4)} in degrees`, (x) => {
    if (x < -1 || x > 1) throw new StreamError('VALUE_OUT_OF_RANGE', 'input is out of range');
    return Number.isNaN(x) ? x : compute(x);
  });
}
define(
  'atand',
  ['double'],
  'double',
  'atan in degrees',
  (x) => (Math.atan(x) / arcTangentOne) * 45,
);
define(
  'atan2d',
  ['double', 'double'],
  'double',
  'angle of the point (second, first) in degrees',
  (y, x) => (Math.atan2(y, x) / arcTangentOne) * 45,
);

define('erf', ['double'], 'double', 'error function', errorFunction);
define('erfc', ['double'], 'double', 'complementary error function', complementaryErrorFunction);

function outOfRange(way: 'overflow' | 'underflow'): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', `value out of range: ${way}`);
}

define('gamma', ['double'], 'double', 'gamma function', (x) => {
  if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY) return x;
  const value = x === Number.NEGATIVE_INFINITY ? Number.NaN : gamma(x);
  if (!Number.isFinite(value)) throw outOfRange('overflow');
  if (value === 0) throw outOfRange('underflow');
  return value;
});
define(
  'lgamma',
  ['double'],
  'double',
  'logarithm of the absolute value of the gamma function',
  (x) => {
    const value = logGamma(x);
    if (Number.isFinite(x) && value === Number.POSITIVE_INFINITY) throw outOfRange('overflow');
    return value;
  },
);
