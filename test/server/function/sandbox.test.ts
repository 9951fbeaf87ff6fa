/** What functions in the sandbox can and cannot do. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Argument, Outcome, Program } from '../../../server/function/sandbox.ts';
import { SANDBOXES_MAX, ScriptEngine } from '../../../server/function/script-engine.ts';

let engine: ScriptEngine;
before(async () => {
  // A clock that has been running for long.
  engine = await ScriptEngine.load(() => 1e9 + performance.now());
});

const program = (body: string, also: Partial<Program> = {}): Program => ({
  names: ['a'],
  forms: ['n'],
  result: 's',
  body,
  ...also,
});
const run = (body: string, arg: Argument = 1, also?: Partial<Program>): Outcome =>
  engine.script(program(body, also)).call([arg]);
const text = (value: string | number | undefined): Outcome => ({ kind: 'value', value });
const limit = (outcome: Outcome): string => (outcome.kind === 'limit' ? outcome.of : outcome.kind);

test('there is no host, no clock and no chance', () => {
  const absent = [
    ...['process', 'require', 'fetch', 'setTimeout', 'console', 'Buffer', 'WebAssembly', 'Promise'],
    ...['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics', 'performance', 'Intl'],
  ];
  for (const name of absent)
    assert.deepEqual(run(`return typeof ${name}`), text('undefined'), name);
  assert.deepEqual(run('return typeof Math.random + typeof Date.now'), text('undefinedundefined'));
  for (const body of ['new Date()', 'Date()', 'new (class extends Date {})()']) {
    assert.equal(run(`${body}; return ""`).kind, 'thrown', body);
  }
  assert.equal(run('return import("fs")').kind, 'thrown');
});

test('dates are in UTC wherever the machine is', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Asia/Kathmandu';
  try {
    for (const [body, expected] of [
      ['new Date("2024-03-10T02:30:00").toISOString()', '2024-03-10T02:30:00.000Z'],
      ['new Date("2024-03-10T02:30:00.123456+01:00").toISOString()', '2024-03-10T01:30:00.123Z'],
      ['new Date(2024, 2, 10, 5).getHours() + ""', '5'],
      ['String(new Date(0))', '1970-01-01T00:00:00.000Z'],
      [
        'new Date(0).toLocaleString() + new Date(0).getTimezoneOffset()',
        '1970-01-01T00:00:00.000Z0',
      ],
      ['String(new Date("March 7").getTime())', 'NaN'],
      ['new Date(new Date(86400000)).toDateString()', '1970-01-02'],
      ['String(new Date(0) instanceof Date && new Date(0).constructor === Date)', 'true'],
    ] as const) {
      assert.deepEqual(run(`return ${body}`), text(expected), body);
    }
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test('a call leaves nothing behind for the next one', () => {
  for (const body of [
    'globalThis.n = (globalThis.n ?? 0) + 1; return "" + globalThis.n',
    'Array.prototype.n = (Array.prototype.n ?? 0) + 1; return "" + [].n',
    'Math.n = (Math.n ?? 0) + 1; return "" + Math.n',
    '(function* () {}).constructor.prototype.n = 1; return ""',
    'Object.getPrototypeOf([][Symbol.iterator]()).next = () => 1; return ""',
    'Object.prototype.toString = () => "mine"; return ""',
    'JSON.parse = () => 1; return ""',
    'n = 1; return ""',
    'arguments.callee.n = 1; return ""',
    'new Function("globalThis.n = 1")(); (0, eval)("var n = 1"); return ""',
  ]) {
    assert.equal(run(body).kind, 'thrown', body);
  }
  const counting = engine.script(program('const r = /x/g; r.test("xx"); return "" + r.lastIndex'));
  assert.deepEqual([counting.call([1]), counting.call([1])], [text('1'), text('1')]);
});

test('programs may override what they inherit on objects of their own', () => {
  const body = `class Odd extends Error { constructor(m) { super(m); this.name = 'Odd'; } }
    const o = {}; o.toString = () => 'mine'; o.constructor = 1;
    try { throw new Odd(String(o)); } catch (error) { return error.name + error.message + (error instanceof Odd); }`;
  assert.deepEqual(run(body), text('Oddminetrue'));
});

test('what goes on for too long, or takes too much, is stopped', () => {
  assert.equal(limit(run('for (;;) {}')), 'time');
  assert.equal(limit(run('try { for (;;) {} } finally { for (;;) {} }')), 'time');
  assert.equal(limit(run('try { for (;;) {} } catch { return "caught" }')), 'time');
  assert.equal(limit(run('/(a+)+b/.test("a".repeat(40)); return ""')), 'time');
  assert.equal(limit(run('const x = []; for (;;) x.push(new Array(1000).fill(1))')), 'memory');
  assert.equal(limit(run('return "x".repeat(2 ** 28)')), 'memory');
  assert.equal(limit(run('const f = () => f() + 1; return f()')), 'stack');
  assert.equal(limit(run('for (;;) yield 1', 1, { result: ['[', 'n'], rowsMax: 10 })), 'thrown');
  // After all of that others still run.
  assert.deepEqual(run('return "fine"'), text('fine'));
});

test('JSON of any depth is read or refused, and breaks nothing', () => {
  const body = 'return "" + JSON.parse("[".repeat(a) + "]".repeat(a)).length';
  assert.deepEqual(run(body, 900), text('1'));
  assert.equal(run(body, 100_000).kind, 'thrown');
  assert.deepEqual(run('return "" + JSON.parse(\'["[[[", "\\\\\\"]"]\').length'), text('2'));
  const nested = 'let o = {}; for (let i = 0; i < a; i++) o = { o }; return JSON.stringify(o)';
  assert.equal(limit(run(nested, 100_000)), 'stack');
  assert.deepEqual(run('return "fine"'), text('fine'));
});

test('whether a call meets a limit does not depend on the calls before it', () => {
  const body = 'for (let i = 0; i < a; i++); return "done"';
  assert.equal(run(body, 500_000).kind, 'value');
  assert.equal(run(body, 2_500_000).kind, 'limit');
  // The first count that is too much, alone.
  let [below, above] = [500_000, 2_500_000];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (run(body, middle).kind === 'value') below = middle;
    else above = middle;
  }
  const used = engine.script(program(body));
  for (let i = 1; i <= 12; i++) {
    used.call([i * 777]);
    assert.equal(used.call([below]).kind, 'value', `after ${i * 777} steps`);
    assert.equal(used.call([above]).kind, 'limit', `after ${i * 777} steps`);
  }
});

test('more functions than sandboxes take turns', () => {
  const scripts = Array.from({ length: SANDBOXES_MAX + 5 }, (_, i) =>
    engine.script(program(`return "${i} " + a`)),
  );
  for (const round of [1, 2]) {
    for (const [i, script] of scripts.entries()) {
      assert.deepEqual(script.call([round]), text(`${i} ${round}`));
    }
  }
});

test('results of another type are refused, NULL is none', () => {
  const of = (result: Program['result'], value: string): string => {
    const outcome = run(`return ${value}`, 1, { result });
    return outcome.kind === 'thrown'
      ? `${outcome.name}: ${outcome.message}`
      : JSON.stringify(outcome);
  };
  for (const result of ['n', 'i', 'b', 'l', 'd', 's', 't', 'j', 'x', ['[', 'n']] as const) {
    assert.deepEqual(run('return null', 1, { result }), text(undefined));
    assert.deepEqual(run('return', 1, { result }), text(undefined));
  }
  assert.deepEqual(run('return NaN', 1, { result: 'n' }), text(Number.NaN));
  assert.deepEqual(run('return "undefined"'), text('undefined'));
  assert.match(of('i', '1.5'), /^ResultError: it gave number 1.5, not an integer/);
  assert.match(of('i', '"1"'), /^ResultError: it gave string, not an integer/);
  assert.match(of('b', '1'), /^ResultError: it gave number 1, not a boolean/);
  assert.match(of('l', '2 ** 60'), /^ResultError/);
  assert.match(of('s', '5'), /^ResultError/);
  assert.match(of('s', '"\\u0000"'), /^ResultError: it gave a text with a character/);
  assert.match(of('s', '"\\ud800"'), /^ResultError: it gave a text with a character/);
  assert.match(of('j', '() => 1'), /^ResultError/);
  assert.match(of('x', '[1]'), /^ResultError/);
  assert.match(of(['[', 'i'], '[1, "a"]'), /^ResultError/);
  assert.match(of(['{', [['a', 'i']]], '5'), /^ResultError/);
});
