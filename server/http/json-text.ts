/**
 * Finds the parts of a JSON text without parsing them, so that every digit a client sent reaches the
 * engine as it was written (JSON.parse would round 9007199254740993 and turn 1.50 into 1.5).
 * The grammar is RFC 8259's, checked in full.
 */

/** Where and why a text is not JSON; `at` is a byte position. */
export class JsonFault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The first byte from `at` on that is not JSON white space; bytes.length at the end. */
export function skipSpace(bytes: Buffer, at: number): number {
  let next = at;
  while (next < bytes.length) {
    const byte = bytes[next] as number;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    next++;
  }
  return next;
}

/**
 * The position after the value that begins at `at` (not white space).
 * @param depthMax  levels of arrays and objects; the walk itself needs no recursion.
 * @throws JsonFault.
 */
export function skipValue(bytes: Buffer, at: number, depthMax: number): number {
  const closers: number[] = [];
  let next = at;
  for (;;) {
    const byte = bytes[next];
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (closers.length >= depthMax) throw new JsonFault('JSON is nested too deeply', next);
      const closer = byte + 2;
      const inside = skipSpace(bytes, next + 1);
      if (bytes[inside] === closer) {
        next = inside + 1;
      } else {
        closers.push(closer);
        next = closer === CLOSE_OBJECT ? skipName(bytes, inside) : inside;
        continue;
      }
    } else {
      next = skipScalar(bytes, next);
    }
    next = closeContainers(bytes, next, closers);
    if (closers.length === 0) return next;
    // A comma was read: the next element, or the next member's value, begins here.
    if (closers[closers.length - 1] === CLOSE_OBJECT) next = skipName(bytes, next);
  }
}

/** After a value: closes what ends here and steps over the comma before the next element. */
function closeContainers(bytes: Buffer, at: number, closers: number[]): number {
  let next = at;
  while (closers.length > 0) {
    const after = skipSpace(bytes, next);
    const byte = bytes[after];
    if (byte === COMMA) return skipSpace(bytes, after + 1);
    const closer = closers[closers.length - 1];
    if (byte !== closer) throw fault(bytes, after, `"," or "${String.fromCharCode(closer ?? 0)}"`);
    closers.pop();
    next = after + 1;
  }
  return next;
}

/** Steps over `"name" :` to the value. */
function skipName(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) throw fault(bytes, at, 'a member name in double quotes');
  const colon = skipSpace(bytes, skipString(bytes, at));
  if (bytes[colon] !== COLON) throw fault(bytes, colon, '":"');
  return skipSpace(bytes, colon + 1);
}

function skipScalar(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at);
    case 0x74:
      return skipWord(bytes, at, 'true');
    case 0x66:
      return skipWord(bytes, at, 'false');
    case 0x6e:
      return skipWord(bytes, at, 'null');
    default:
      return skipNumber(bytes, at);
  }
}

function skipWord(bytes: Buffer, at: number, word: string): number {
  const end = at + word.length;
  if (bytes.toString('latin1', at, end) !== word) throw fault(bytes, at, 'a value');
  return end;
}

function skipString(bytes: Buffer, at: number): number {
  let next = at + 1;
  for (; next < bytes.length; next++) {
    const byte = bytes[next] as number;
    if (byte === QUOTE) return next + 1;
    if (byte === BACKSLASH) next = skipEscape(bytes, next);
    else if (byte < 0x20) throw new JsonFault('a control character stands in a string', next);
  }
  throw new JsonFault('a string is not closed', at);
}

/** The position of the escape's last byte. */
function skipEscape(bytes: Buffer, at: number): number {
  const letter = bytes[at + 1];
  if (letter === 0x75) {
    if (!/^[0-9a-fA-F]{4}$/.test(bytes.toString('latin1', at + 2, at + 6))) {
      throw new JsonFault('\\u wants four hexadecimal digits', at);
    }
    return at + 5;
  }
  if (letter === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(letter))) {
    throw new JsonFault('unknown escape in a string', at);
  }
  return at + 1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function skipDigits(bytes: Buffer, at: number): number {
  let next = at;
  while (isDigit(bytes[next])) next++;
  if (next === at) throw fault(bytes, at, 'a digit');
  return next;
}

function skipNumber(bytes: Buffer, at: number): number {
  let next = bytes[at] === 0x2d ? at + 1 : at;
  if (!isDigit(bytes[next])) throw fault(bytes, next, next === at ? 'a value' : 'a digit');
  next = bytes[next] === 0x30 ? next + 1 : skipDigits(bytes, next);
  if (bytes[next] === 0x2e) next = skipDigits(bytes, next + 1);
  if (bytes[next] === 0x65 || bytes[next] === 0x45) {
    next++;
    if (bytes[next] === 0x2b || bytes[next] === 0x2d) next++;
    next = skipDigits(bytes, next);
  }
  return next;
}

function fault(bytes: Buffer, at: number, expected: string): JsonFault {
  if (at >= bytes.length) return new JsonFault(`the text ends where ${expected} is expected`, at);
  const found = JSON.stringify(bytes.toString('utf8', at, Math.min(at + 4, bytes.length))[0] ?? '');
  return new JsonFault(`${expected} is expected instead of ${found}`, at);
}

/** The one value of a whole text, white space around it dropped. @throws JsonFault. */
export function wholeValue(bytes: Buffer, depthMax: number): JsonSpan {
  const start = skipSpace(bytes, 0);
  const end = skipValue(bytes, start, depthMax);
  const rest = skipSpace(bytes, end);
  if (rest < bytes.length) throw fault(bytes, rest, 'the end of the text');
  return { start, end };
}

/** Name and value of every member of the object in `span`, in order, doubles included. */
export function objectMembers(
  bytes: Buffer,
  span: JsonSpan,
  depthMax: number,
): readonly { readonly name: string; readonly value: JsonSpan }[] {
  const members: { name: string; value: JsonSpan }[] = [];
  let next = skipSpace(bytes, span.start + 1);
  while (bytes[next] !== CLOSE_OBJECT) {
    const nameEnd = skipString(bytes, next);
    const name: unknown = JSON.parse(bytes.toString('utf8', next, nameEnd));
    const start = skipName(bytes, next);
    const end = skipValue(bytes, start, depthMax);
    members.push({ name: String(name), value: { start, end } });
    next = nextElement(bytes, end);
  }
  return members;
}

/** The elements of the array in `span`, in order. */
export function arrayElements(bytes: Buffer, span: JsonSpan, depthMax: number): JsonSpan[] {
  const elements: JsonSpan[] = [];
  let start = skipSpace(bytes, span.start + 1);
  while (bytes[start] !== CLOSE_ARRAY) {
    const end = skipValue(bytes, start, depthMax);
    elements.push({ start, end });
    start = nextElement(bytes, end);
  }
  return elements;
}

/** In a text that is known to be JSON: the next element, or the closing bracket. */
function nextElement(bytes: Buffer, at: number): number {
  const after = skipSpace(bytes, at);
  return bytes[after] === COMMA ? skipSpace(bytes, after + 1) : after;
}

/** The same JSON without white space between its tokens; digits and escapes stay as they were. */
export function minify(bytes: Buffer, span: JsonSpan): Buffer {
  const out = Buffer.allocUnsafe(span.end - span.start);
  let length = 0;
  let inString = false;
  for (let at = span.start; at < span.end; at++) {
    const byte = bytes[at] as number;
    if (!inString && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) continue;
    out[length++] = byte;
    if (byte === QUOTE) inString = !inString;
    else if (byte === BACKSLASH) out[length++] = bytes[++at] as number;
  }
  return out.subarray(0, length);
}
