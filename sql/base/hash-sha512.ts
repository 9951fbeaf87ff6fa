/** SHA-512 and SHA-384 (FIPS 180-4) over bytes, in plain code because sql/ is pure. */

const WORD = 64;

/** floor(n^(1/degree)) by Newton's method. */
function integerRoot(n: bigint, degree: bigint): bigint {
  let guess = 1n << (BigInt(n.toString(2).length) / degree + 1n);
  for (;;) {
    const next = ((degree - 1n) * guess + n / guess ** (degree - 1n)) / degree;
    if (next >= guess) return guess;
    guess = next;
  }
}

function primes(count: number): readonly bigint[] {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) {
    if (found.every((prime) => n % prime !== 0n)) found.push(n);
  }
  return found;
}

const wrap = (value: bigint): bigint => BigInt.asUintN(WORD, value);

/** The first 64 bits of the fractional parts of roots of primes. */
const fractions = (numbers: readonly bigint[], degree: bigint): readonly bigint[] =>
  numbers.map((prime) => wrap(integerRoot(prime << (BigInt(WORD) * degree), degree)));

const roundConstants = fractions(primes(80), 3n);
const start512 = fractions(primes(8), 2n);
const start384 = fractions(primes(16).slice(8), 2n);

const rotate = (value: bigint, bits: bigint): bigint =>
  wrap((value >> bits) | (value << (64n - bits)));
const sigma = (value: bigint, a: bigint, b: bigint, shift: bigint): bigint =>
  rotate(value, a) ^ rotate(value, b) ^ (value >> shift);
const mix = (value: bigint, a: bigint, b: bigint, c: bigint): bigint =>
  rotate(value, a) ^ rotate(value, b) ^ rotate(value, c);

function digest(message: Uint8Array, start: readonly bigint[], bytes: number): Uint8Array {
  const blocks = Math.ceil((message.length + 17) / 128);
  const padded = new Uint8Array(blocks * 128);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  let state = start;
  for (let at = 0; at < padded.length; at += 128) state = compress(state, view, at);
  const out = new DataView(new ArrayBuffer(WORD));
  for (const [index, word] of state.entries()) out.setBigUint64(index * 8, word);
  return new Uint8Array(out.buffer).slice(0, bytes);
}

function compress(state: readonly bigint[], view: DataView, at: number): readonly bigint[] {
  const words = Array.from({ length: 16 }, (_, i) => view.getBigUint64(at + i * 8));
  const word = (index: number): bigint => words[index] ?? 0n;
  for (let t = 16; t < 80; t++) {
    const low = sigma(word(t - 15), 1n, 8n, 7n);
    const high = sigma(word(t - 2), 19n, 61n, 6n);
    words.push(wrap(word(t - 16) + low + word(t - 7) + high));
  }
  let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
  for (let t = 0; t < 80; t++) {
    const choice = (e & f) ^ (~e & g);
    const first = wrap(h + mix(e, 14n, 18n, 41n) + choice + (roundConstants[t] ?? 0n) + word(t));
    const second = mix(a, 28n, 34n, 39n) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, wrap(d + first), c, b, a, wrap(first + second)];
  }
  return [a, b, c, d, e, f, g, h].map((value, index) => wrap((state[index] ?? 0n) + value));
}

export const sha512 = (message: Uint8Array): Uint8Array => digest(message, start512, 64);
export const sha384 = (message: Uint8Array): Uint8Array => digest(message, start384, 48);
