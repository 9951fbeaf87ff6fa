/**
 * The gamma function, its logarithm and the error function in double precision, to a few units of the last place.
 * Sources: Abramowitz & Stegun, "Handbook of Mathematical Functions": Stirling's series 6.1.37 and 6.1.40, reflection
 * 6.1.17, the series around 2 6.1.33, the error function's series 7.1.6 and continued fraction 7.1.14.
 */

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
const ROOT_PI = Math.sqrt(Math.PI);
const EULER = 0.5772156649015329;

/** Stirling's series is exact to double precision from here on. */
const STIRLING_MIN = 15;
/** B(2k) / (2k (2k - 1)). */
const stirling: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360_360,
  1 / 156,
  -3617 / 122_400,
];

function stirlingTail(x: number): number {
  const square = 1 / (x * x);
  return stirling.reduceRight((sum, term) => sum * square + term, 0) / x;
}

/** sin(pi x), exact where x is whole. */
function sinPi(x: number): number {
  const rest = x % 2;
  const folded = Math.abs(rest) > 1 ? rest - 2 * Math.sign(rest) : rest;
  const inner = Math.abs(folded) > 0.5 ? Math.sign(folded) - folded : folded;
  return Math.sin(Math.PI * inner);
}

/** From here on the value is too large for a double. */
const GAMMA_OVERFLOW = 171.7;
/** Below it, away from whole numbers, the value is too small for one. */
const GAMMA_UNDERFLOW = -184;
/** Nearer to zero the value is 1 / x. */
const GAMMA_TINY = 1e-17;

/** Up to here the factorials are whole doubles. */
const FACTORIAL_MAX = 23;

function factorialBefore(n: number): number {
  let product = 1;
  for (let factor = 2; factor < n; factor++) product *= factor;
  return product;
}

/** NaN at negative whole numbers, an infinity at 0 and where the value is too large, 0 where it is too small. */
export function gamma(x: number): number {
  if (Number.isInteger(x) && x <= 0) return x === 0 ? 1 / x : Number.NaN;
  if (Number.isInteger(x) && x <= FACTORIAL_MAX) return factorialBefore(x);
  if (x > GAMMA_OVERFLOW) return Number.POSITIVE_INFINITY;
  if (x < GAMMA_UNDERFLOW) return 0;
  if (Math.abs(x) < GAMMA_TINY) return 1 / x;
  const { root, rest } = gammaFactors(Math.abs(x));
  return x > 0 ? root * (root * rest) : -Math.PI / (sinPi(x) * x) / root / (root * rest);
}

/** gamma(x) = root * root * rest for positive x: the value itself may be too large where it is divided by. */
function gammaFactors(x: number): { readonly root: number; readonly rest: number } {
  let divisor = 1;
  let shifted = x;
  while (shifted < STIRLING_MIN) {
    divisor *= shifted;
    shifted++;
  }
  const root = shifted ** (0.5 * shifted - 0.25);
  const scale = Math.sqrt(2 * Math.PI) * Math.exp(stirlingTail(shifted) - shifted);
  return { root, rest: scale / divisor };
}

/** Riemann's zeta(k) - 1 by its first terms and Euler's and Maclaurin's estimate of the others. */
function zetaMinusOne(k: number): number {
  const terms = 40;
  let sum = 0;
  for (let n = terms - 1; n >= 2; n--) sum += n ** -k;
  const last = terms ** -k;
  const tail =
    (last * terms) / (k - 1) +
    last / 2 +
    (last * k) / (12 * terms) -
    (last * k * (k + 1) * (k + 2)) / (720 * terms ** 3) +
    (last * k * (k + 1) * (k + 2) * (k + 3) * (k + 4)) / (30_240 * terms ** 5);
  return sum + tail;
}

/** (-1)^k (zeta(k) - 1) / k for k from 2. */
const aroundTwo: readonly number[] = Array.from(
  { length: 30 },
  (_, i) => ((i % 2 === 0 ? 1 : -1) * zetaMinusOne(i + 2)) / (i + 2),
);

/** log gamma(2 + s) for s from -1/2 to 1/2. */
function logGammaAroundTwo(s: number): number {
  return s * (1 - EULER) + s * s * aroundTwo.reduceRight((sum, term) => sum * s + term, 0);
}

/** log |gamma(x)|; infinity at 0 and at negative whole numbers. */
export function logGamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x) || (x <= 0 && Number.isInteger(x))) return Number.POSITIVE_INFINITY;
  if (Math.abs(x) < GAMMA_TINY) return -Math.log(Math.abs(x));
  if (x < 0) return Math.log(Math.PI / Math.abs(sinPi(x) * x)) - logGamma(-x);
  if (x >= STIRLING_MIN)
    return (x - 0.5) * (Math.log(x) - 1) + (HALF_LOG_TWO_PI - 0.5) + stirlingTail(x);
  if (x < 0.5) return logGamma(1 + x) - Math.log(x);
  if (x < 1.5) return logGammaAroundTwo(x - 1) - Math.log1p(x - 1);
  let product = 1;
  let rest = x;
  while (rest >= 2.5) {
    rest--;
    product *= rest;
  }
  return Math.log(product) + logGammaAroundTwo(rest - 2);
}

/** exp(-x * x), whose argument is taken to more digits than a double has. */
function gauss(x: number): number {
  const head = Math.fround(x);
  return Math.exp(-head * head) * Math.exp((head - x) * (head + x));
}

/** From here on the complement is computed, and below it the function itself. */
const ERROR_SERIES_MAX = 1;
/** The complement is smaller than every double from here on. */
const ERROR_VANISHES = 27.3;

function errorSeries(x: number): number {
  const square = 2 * x * x;
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-18; n++) {
    term *= square / (2 * n + 1);
    sum += term;
  }
  return (2 / ROOT_PI) * gauss(x) * sum;
}

/** The continued fraction from its end; 500 levels suffice at 1, fewer further out. */
function errorComplement(x: number): number {
  if (x >= ERROR_VANISHES) return 0;
  let fraction = x;
  for (let level = 500; level > 0; level--) fraction = x + level / 2 / fraction;
  return gauss(x) / ROOT_PI / fraction;
}

export function errorFunction(x: number): number {
  if (Number.isNaN(x)) return x;
  const size = Math.abs(x);
  // 2 / sqrt(pi) times a tiny number is exact to the last bit, the minus of zero included.
  if (size < 1e-10) return x * (2 / ROOT_PI);
  const value = size < ERROR_SERIES_MAX ? errorSeries(size) : 1 - errorComplement(size);
  return x < 0 ? -value : value;
}

/** 1 - errorFunction(x), without the loss of digits. */
export function complementaryErrorFunction(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < ERROR_SERIES_MAX)
    return x < -ERROR_SERIES_MAX ? 2 - errorComplement(-x) : 1 - errorFunction(x);
  return errorComplement(x);
}
