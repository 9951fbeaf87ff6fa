/** MD5 (RFC 1321) and SHA-256/224 (FIPS 180-4) over bytes, in plain code because sql/ is pure. */

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** The message with its 0x80 mark, zeros and bit length, as a whole number of 64-byte blocks. */
function pad(message: Uint8Array, littleEndian: boolean): DataView {
  const blocks = Math.ceil((message.length + 9) / 64);
  const padded = new Uint8Array(blocks * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n, littleEndian);
  return view;
}

const md5Shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const md5Sines = Array.from(
  { length: 64 },
  (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0,
);

function md5Step(step: number, b: number, c: number, d: number): { mix: number; word: number } {
  if (step < 16) return { mix: (b & c) | (~b & d), word: step };
  if (step < 32) return { mix: (d & b) | (~d & c), word: (5 * step + 1) % 16 };
  if (step < 48) return { mix: b ^ c ^ d, word: (3 * step + 5) % 16 };
  return { mix: c ^ (b | ~d), word: (7 * step) % 16 };
}

export function md5(message: Uint8Array): Uint8Array {
  const view = pad(message, true);
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a = 0, b = 0, c = 0, d = 0] = state;
    for (let step = 0; step < 64; step++) {
      const { mix, word } = md5Step(step, b, c, d);
      const shift = md5Shifts[(step >> 4) * 4 + (step & 3)] as number;
      const sum = a + mix + (md5Sines[step] as number) + view.getInt32(block + word * 4, true);
      a = d;
      d = c;
      c = b;
      b = (b + rotateLeft(sum | 0, shift)) | 0;
    }
    state[0] = (state[0] as number) + a;
    state[1] = (state[1] as number) + b;
    state[2] = (state[2] as number) + c;
    state[3] = (state[3] as number) + d;
  }
  const digest = new DataView(new ArrayBuffer(16));
  state.forEach((word, index) => {
    digest.setInt32(index * 4, word, true);
  });
  return new Uint8Array(digest.buffer);
}

/** The first 32 bits of the fractional part of a root of each of the first primes. */
function rootFractions(count: number, root: (prime: number) => number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32) | 0);
}

const sha256Constants = rootFractions(64, Math.cbrt);
const sha256Start = rootFractions(8, Math.sqrt);

/** SHA-224 is SHA-256 from another start, cut short. */
const sha224Start = [
  0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4,
];

export const sha256 = (message: Uint8Array): Uint8Array => sha2(message, sha256Start);
export const sha224 = (message: Uint8Array): Uint8Array => sha2(message, sha224Start).slice(0, 28);

function sha2(message: Uint8Array, start: readonly number[]): Uint8Array {
  const view = pad(message, false);
  const state = Int32Array.from(start);
  const words = new Int32Array(64);
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let index = 0; index < 64; index++) {
      words[index] = index < 16 ? view.getInt32(block + index * 4) : expandWord(words, index);
    }
    sha256Block(state, words);
  }
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => {
    digest.setInt32(index * 4, word);
  });
  return new Uint8Array(digest.buffer);
}

function expandWord(words: Int32Array, index: number): number {
  const near = words[index - 2] as number;
  const far = words[index - 15] as number;
  const nearMix = rotateLeft(near, 15) ^ rotateLeft(near, 13) ^ (near >>> 10);
  const farMix = rotateLeft(far, 25) ^ rotateLeft(far, 14) ^ (far >>> 3);
  return (nearMix + farMix + (words[index - 7] as number) + (words[index - 16] as number)) | 0;
}

function sha256Block(state: Int32Array, words: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let step = 0; step < 64; step++) {
    const mixE = rotateLeft(e, 26) ^ rotateLeft(e, 21) ^ rotateLeft(e, 7);
    const choice = (e & f) ^ (~e & g);
    const first =
      (h + mixE + choice + (sha256Constants[step] as number) + (words[step] as number)) | 0;
    const mixA = rotateLeft(a, 30) ^ rotateLeft(a, 19) ^ rotateLeft(a, 10);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + mixA + majority) | 0;
  }
  const next = [a, b, c, d, e, f, g, h];
  next.forEach((word, index) => {
    state[index] = (state[index] as number) + word;
  });
}
