/**
 * The program that a sandbox begins with. It takes away what would make a function give another value for the same arguments
 * (the clock, random numbers, what a call leaves behind for the next one), and gives back the function that makes callable
 * functions of bodies.
 *
 * Values cross the border as numbers and texts. A form says how a value is written, as `SqlType` kinds in short:
 * `n` number, `b` boolean as 1 and 0, `i` integer that fits in a double, `l` bigint as text, `d` numeric as text, `s` text, `t` date or time as
 * text, `j` JSON, `x` bytes as hexadecimal digits; `['[', form]` an array and `['{', [[name, form], …]]` a composite value, both as
 * JSON of written values.
 * Freezing follows SES's lockdown (github.com/endojs/endo, packages/ses), whose "override mistake" it repairs for the two
 * prototypes where programs meet it.
 */
export const PRELUDE = `(() => {
'use strict';
const NativeDate = Date;
const ISO = /^([+-]\\d{6}|\\d{4})(-\\d\\d(-\\d\\d)?)?(T\\d\\d:\\d\\d(:\\d\\d([.]\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)?)?$/;
const parse = (text) => {
  const found = ISO.exec(String(text));
  if (found === null) return NaN;
  // Without a zone it is UTC, not the zone of the machine.
  return NativeDate.parse(found[4] !== undefined && found[7] === undefined ? text + 'Z' : text);
};
const timeOf = (args) => {
  const [first] = args;
  if (args.length > 1) return NativeDate.UTC(...args);
  if (first instanceof NativeDate) return first.getTime();
  return typeof first === 'string' ? parse(first) : Number(first);
};
const SafeDate = function Date(...args) {
  if (new.target === undefined || args.length === 0) throw new TypeError('there is no clock in a function: pass the time as an argument');
  return Reflect.construct(NativeDate, [timeOf(args)], new.target);
};
const datePrototype = NativeDate.prototype;
SafeDate.prototype = datePrototype;
SafeDate.UTC = NativeDate.UTC;
SafeDate.parse = parse;
datePrototype.constructor = SafeDate;
for (const part of ['FullYear', 'Month', 'Date', 'Hours', 'Minutes', 'Seconds', 'Milliseconds']) {
  datePrototype['get' + part] = datePrototype['getUTC' + part];
  datePrototype['set' + part] = datePrototype['setUTC' + part];
}
datePrototype.getDay = datePrototype.getUTCDay;
datePrototype.getTimezoneOffset = () => 0;
const { toISOString } = datePrototype;
const isoText = function () { return toISOString.call(this); };
for (const name of ['toString', 'toUTCString', 'toLocaleString']) datePrototype[name] = isoText;
for (const name of ['toDateString', 'toLocaleDateString']) datePrototype[name] = function () { return toISOString.call(this).slice(0, 10); };
for (const name of ['toTimeString', 'toLocaleTimeString']) datePrototype[name] = function () { return toISOString.call(this).slice(11); };
delete datePrototype.getYear;
delete datePrototype.setYear;
globalThis.Date = SafeDate;
delete Math.random;
for (const name of ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Promise']) delete globalThis[name];

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor;
const hidden = [
  function* () {}, async function () {}, async function* () {}, [][Symbol.iterator](), new Map()[Symbol.iterator](),
  new Set()[Symbol.iterator](), ''[Symbol.iterator](), 'a'.matchAll(/a/g), Object.getPrototypeOf(Int8Array),
];
const { stringify } = JSON;
const parseJson = JSON.parse;
/** The engine's parser would go on until the stack of the host overflows. */
const checkDepth = (text) => {
  if (text.split('[').length + text.split('{').length < DEPTH_MAX) return;
  let depth = 0;
  for (const found of text.matchAll(/"(?:[^"\\\\]|\\\\.)*"|[[{]|[\\]}]/g)) {
    const [first] = found[0];
    if (first === '[' || first === '{') depth++;
    else if (first !== '"') depth--;
    if (depth > DEPTH_MAX) throw new SyntaxError('JSON is nested more than ' + DEPTH_MAX + ' deep');
  }
};
const DEPTH_MAX = 1000;
JSON.parse = (text, reviver) => {
  const whole = String(text);
  checkDepth(whole);
  return parseJson(whole, reviver);
};
const { freeze, getOwnPropertyDescriptors, getPrototypeOf, defineProperty } = Object;
const { isInteger, isSafeInteger } = Number;
const ownKeys = Reflect.ownKeys;

const letOverride = (prototype) => {
  for (const key of ownKeys(prototype)) {
    const { value, writable, configurable, enumerable } = Object.getOwnPropertyDescriptor(prototype, key);
    if (writable !== true || configurable !== true) continue;
    defineProperty(prototype, key, {
      enumerable, configurable,
      get() { return value; },
      set(next) {
        if (this === prototype) throw new TypeError('built-in objects cannot be changed');
        defineProperty(this, key, { value: next, writable: true, enumerable: true, configurable: true });
      },
    });
  }
};
for (const one of [Object, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError]) letOverride(one.prototype);

const seen = new Set();
const harden = (root) => {
  const todo = [root];
  while (todo.length > 0) {
    const one = todo.pop();
    if ((typeof one !== 'object' && typeof one !== 'function') || one === null || seen.has(one)) continue;
    seen.add(one);
    if (!ArrayBuffer.isView(one)) freeze(one);
    todo.push(getPrototypeOf(one));
    const all = getOwnPropertyDescriptors(one);
    for (const key of ownKeys(all)) todo.push(all[key].value, all[key].get, all[key].set);
  }
};

class ResultError extends Error {
  constructor(message) { super(message); this.name = 'ResultError'; }
}
const describe = (value) => {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value + ' ' + value;
  return typeof value;
};
const wrong = (value, wanted) => { throw new ResultError('it gave ' + describe(value) + ', not ' + wanted); };
const clean = (text) => {
  if (text.includes('\\0') || !text.isWellFormed()) throw new ResultError('it gave a text with a character that no text can hold');
  return text;
};
const hex = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += (bytes[i] < 16 ? '0' : '') + bytes[i].toString(16);
  return text;
};
const unhex = (text) => {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
};

const reader = (form) => {
  switch (form[0]) {
    case 'n': return Number;
    case 'b': return Boolean;
    case 'l': return BigInt;
    case 'j': return (text) => JSON.parse(text);
    case 'x': return unhex;
    case '[': { const read = reader(form[1]); return (items) => items.map((item) => item === null ? null : read(item)); }
    case '{': {
      const fields = form[1].map(([name, inner]) => [name, reader(inner)]);
      return (items) => Object.fromEntries(fields.map(([name, read], i) => [name, items[i] === null ? null : read(items[i])]));
    }
    default: return (text) => text;
  }
};
const special = (value) => Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value);
const writers = {
  n: (value) => typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : wrong(value, 'a number'),
  i: (value) => {
    if (typeof value === 'bigint') return isSafeInteger(Number(value)) ? Number(value) : wrong(value, 'an integer in range');
    if (typeof value !== 'number') return wrong(value, 'an integer');
    return isInteger(value) ? value + 0 : wrong(value, 'an integer');
  },
  b: (value) => typeof value === 'boolean' ? (value ? 1 : 0) : wrong(value, 'a boolean'),
  l: (value) => typeof value === 'bigint' || (typeof value === 'number' && isSafeInteger(value)) ? String(value + (typeof value === 'number' ? 0 : 0n)) : wrong(value, 'a BigInt'),
  d: (value) => typeof value === 'string' ? clean(value) : typeof value === 'number' || typeof value === 'bigint' ? String(value) : wrong(value, 'a string or number'),
  s: (value) => typeof value === 'string' ? clean(value) : wrong(value, 'a string'),
  t: (value) => typeof value === 'string' ? clean(value) : value instanceof NativeDate ? toISOString.call(value) : wrong(value, 'a string or Date'),
  j: (value) => { const text = stringify(value); return text === undefined ? wrong(value, 'JSON') : clean(text); },
  x: (value) => value instanceof Uint8Array ? hex(value) : value instanceof ArrayBuffer ? hex(new Uint8Array(value)) : wrong(value, 'a Uint8Array'),
};
/** A value inside of another one, where NaN and its like are texts. */
const inner = (form) => {
  const write = writer(form);
  const plain = form[0] === 'n' ? (value) => special(write(value)) : write;
  return (value) => value === undefined || value === null ? null : plain(value);
};
const writer = (form) => {
  switch (form[0]) {
    case '[': {
      const write = inner(form[1]);
      return (value) => {
        const items = ArrayBuffer.isView(value) ? Array.from(value) : value;
        return Array.isArray(items) ? Array.from(items, write) : wrong(value, 'an array');
      };
    }
    case '{': {
      const fields = form[1].map(([name, own]) => [name, inner(own)]);
      return (value) => typeof value === 'object' ? fields.map(([name, write]) => write(value[name])) : wrong(value, 'an object with a member for every column');
    }
    default: return writers[form[0]];
  }
};
const rowWriter = (form, rowsMax) => {
  const write = inner(form[1]);
  return (value) => {
    if (typeof value === 'string' || typeof value !== 'object' || value[Symbol.iterator] === undefined) return wrong(value, 'rows: an array or a generator');
    const rows = [];
    for (const row of value) {
      if (rows.length === rowsMax) throw new ResultError('it gave more than ' + rowsMax + ' rows');
      rows.push(write(row));
    }
    return rows;
  };
};

const make = (json) => {
  const { names, forms, result, body, rowsMax } = JSON.parse(json);
  const source = '"use strict";\\n' + body;
  let call;
  try {
    call = new Function(...names, source);
  } catch (error) {
    // A word that strict code has only in generators.
    if (rowsMax === undefined) throw error;
    try { call = new GeneratorFunction(...names, source); } catch { throw error; }
  }
  harden(call);
  const nested = (form) => form[0] === '[' || form[0] === '{';
  const reads = forms.map((form) => {
    const read = reader(form);
    return nested(form) ? (text) => read(JSON.parse(text)) : form === 'n' || form === 's' || form === 'd' || form === 't' ? undefined : read;
  });
  const write = rowsMax === undefined ? writer(result) : rowWriter(result, rowsMax);
  const finish = nested(result) ? (value) => stringify(write(value)) : write;
  const count = reads.length;
  return (...args) => {
    for (let i = 0; i < count; i++) {
      const read = reads[i];
      if (args[i] !== null && read !== undefined) args[i] = read(args[i]);
    }
    const value = call(...args);
    return value === undefined || value === null ? undefined : finish(value);
  };
};
harden(globalThis);
for (const one of hidden) harden(one);
return make;
})()`;
