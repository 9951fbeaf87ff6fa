/** SQL/JSON paths against PostgreSQL: random paths over random documents, lax and strict, silent or not. */
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { StreamError } from '../../../sql/base/error.ts';
import { parseJsonPath } from '../../../sql/base/json-path-parse.ts';
import { registry } from '../../../sql/function/builtin.ts';
import { callScalar } from '../../../sql/function/define.ts';
import {
  agrees,
  assertNoDifferences,
  type Judge,
  openJudge,
  outcome,
  quote,
  runs,
} from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

const scalars = fc.constantFrom(
  'null',
  'true',
  'false',
  '0',
  '1',
  '-2',
  '1.50',
  '3',
  '1e20',
  '"a"',
  '"b"',
  '"ab"',
  '"12"',
  '"1.5"',
  '"t"',
  '""',
  '"é\\n😀"',
  '123456789012.345',
);
const documents = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('node'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'long key'), tie('node')), {
        maxLength: 3,
        selector: ([key]) => key,
      })
      .map((members) => `{${members.map(([key, value]) => `"${key}": ${value}`).join(', ')}}`),
  ),
})).node;

const inner = fc.constantFrom(
  '1',
  '2',
  '-1.5',
  'null',
  '"a"',
  'true',
  '[]',
  '{}',
  '[1, 2]',
  '[[1]]',
  '[{"a": 1}]',
  '{"a": 1}',
  '{"a": {"b": 1}}',
  '{"b": [1, "a"]}',
  '{"a": null}',
);
const containers = fc.oneof(
  fc.array(inner, { minLength: 1, maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
  fc.tuple(inner, inner).map(([a, b]) => `{"a": ${a}, "b": ${b}}`),
  fc.tuple(inner, inner).map(([a, b]) => `{"a": [${a}, ${b}], "bb": 1, "c": {"d": ${b}}}`),
);

const literals = fc.constantFrom(
  '1',
  '2',
  '0',
  '-1',
  '1.5',
  '"a"',
  '"ab"',
  'null',
  'true',
  'false',
  '$x',
  '$"y z"',
  '.5',
  '1e2',
  '0x10',
  '1_000',
);
const methods = fc.constantFrom(
  ...[
    'abs',
    'bigint',
    'boolean',
    'ceiling',
    'double',
    'floor',
    'integer',
    'keyvalue',
    'number',
    'size',
    'string',
    'type',
    'decimal',
  ].map((name) => `.${name}()`),
  '.decimal(4,1)',
  '.decimal(3)',
);
const paths = fc.letrec<{ value: string; predicate: string; steps: string; base: string }>(
  (tie) => ({
    base: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('$', '$', '$', '@', '@'),
      literals,
      tie('predicate').map((text) => `(${text})`),
      tie('value').map((text) => `(${text})`),
    ),
    steps: fc
      .array(
        fc.oneof(
          fc.constantFrom(
            '.a',
            '.b',
            '."long key"',
            '.*',
            '[*]',
            '[0]',
            '[1]',
            '[last]',
            '[last - 1]',
            '[0 to 1]',
            '[0, last]',
            '[$x]',
            '.**',
            '.**{1}',
            '.**{1 to 2}',
            '.**{last}',
            '[1.7]',
            '["a"]',
          ),
          methods,
          tie('predicate').map((text) => ` ? (${text})`),
        ),
        { maxLength: 3 },
      )
      .map((parts) => parts.join('')),
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc
        .tuple(tie('base'), tie('steps'))
        .map(([base, steps]) => (/^-?[\d.]/.test(base) ? base : base + steps)),
      literals,
      fc
        .tuple(tie('value'), fc.constantFrom('+', '-', '*', '/', '%'), tie('value'))
        .map(([a, op, b]) => `${a} ${op} ${b}`),
      fc.tuple(fc.constantFrom('-', '+'), tie('value')).map(([sign, a]) => `${sign}${a}`),
    ),
    predicate: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc
        .tuple(tie('value'), fc.constantFrom('==', '!=', '<>', '<', '<=', '>', '>='), tie('value'))
        .map(([a, op, b]) => `${a} ${op} ${b}`),
      tie('value').map((text) => `exists(${text})`),
      fc
        .tuple(tie('value'), fc.constantFrom('"a"', '""', '$x', '$"y z"'))
        .map(([a, b]) => `${a} starts with ${b}`),
      fc
        .tuple(
          tie('value'),
          fc.constantFrom('"^a"', '"B"', '"."', '"a.b"', '"^.$"', '"\\\\d+"'),
          fc.constantFrom('', ' flag "i"', ' flag "s"', ' flag "m"', ' flag "q"', ' flag "is"'),
        )
        .map(([a, b, flags]) => `${a} like_regex ${b}${flags}`),
      fc
        .tuple(tie('predicate'), fc.constantFrom('&&', '||'), tie('predicate'))
        .map(([a, op, b]) => `(${a}) ${op} (${b})`),
      tie('predicate').map((text) => `!(${text})`),
      tie('predicate').map((text) => `(${text}) is unknown`),
    ),
  }),
);
/** Shapes in which lax and strict paths part, over documents that are rich in arrays. */
const telling = fc.constantFrom(
  ...[
    '$[*] ? (@ != null)',
    '$[*] ? (@ == null)',
    '$.* ? (@ <> null)',
    '$[*] ? (@ > 1)',
    '$[*] ? (@ < "b")',
  ],
  ...[
    '$.**.a',
    '$.**[0]',
    '$.**.a.b',
    '$.a.b',
    '$.a.a',
    '$[*].a',
    '$.a[*].b',
    '$[*][*]',
    '$.*.*',
    '$[0].a',
  ],
  ...[
    '$.**.keyvalue()',
    '$.a.keyvalue()',
    '$[*].keyvalue()',
    '$.keyvalue().value',
    '$.keyvalue().value.keyvalue()',
  ],
  ...[
    '$.a == $.b',
    '$[*] == 1',
    '$.** == "a"',
    '($[*] > 1) is unknown',
    '$.a > 1 && $.b > 1',
    '$.a > 1 || $.b > 1',
  ],
  ...[
    '$ ? (exists(@.a))',
    '$[*] ? (exists(@.a[0]))',
    '$ ? (@.a.b == 1)',
    '$[last]',
    '$[0 to last]',
    '$.a[1]',
    '$[1 to 0]',
  ],
  ...[
    '$.a + $.b',
    '$[*] + 1',
    '-$[*]',
    '-$.a',
    '$.size()',
    '$[*].size()',
    '$[*].type()',
    '$[*].double()',
    '$.a.abs()',
  ],
);
const wholePaths = fc
  .tuple(
    fc.constantFrom('', 'lax ', 'strict '),
    fc.oneof(paths.value, paths.value, paths.predicate, telling, telling),
  )
  .map(([mode, text]) => mode + text);
const variables = '{"x": 1, "y z": "a"}';

interface Question {
  readonly expression: string;
  readonly ours: () => string;
}

function ask(name: string, args: readonly (string | boolean)[]): Question {
  const fn = registry
    .scalars(name)
    .find(
      (overload) =>
        overload.parameters.length === args.length && overload.parameters[0]?.kind === 'jsonb',
    );
  if (fn === undefined) throw new Error(`${name} is missing`);
  const [document, path, ...rest] = args.map((arg) =>
    typeof arg === 'string' ? quote(arg) : String(arg),
  );
  const expression = /^\w/.test(name)
    ? `${name}(${[`${document}::jsonb`, `${path}::jsonpath`, ...rest].join(', ')})`
    : `(${document}::jsonb ${name} ${path}::jsonpath)`;
  return { expression, ours: () => outcome(() => callScalar(fn, args), fn.result) };
}

async function compare(questions: readonly Question[]): Promise<void> {
  const theirs = await judge.ask(questions.map(({ expression }) => expression));
  const differences = questions.flatMap(({ expression, ours }, index) => {
    const our = ours();
    const their = theirs[index] as string;
    return agrees(our, their) ? [] : [`${expression}\n    judge ${their}\n    ours  ${our}`];
  });
  assertNoDifferences(differences);
}

const canonical = registry.cast({ kind: 'text' }, { kind: 'jsonb' }, 'explicit')?.fn;
const samples = fc.sample(fc.tuple(fc.oneof(documents, containers), wholePaths, fc.boolean()), {
  numRuns: Math.max(runs * 5, 2000),
});

for (const name of [
  'jsonb_path_exists',
  'jsonb_path_match',
  'jsonb_path_query_first',
  'jsonb_path_query_array',
]) {
  test(`${name} finds what PostgreSQL finds`, async () => {
    await compare(
      samples.flatMap(([text, path, silent]) => {
        const document = String(canonical === undefined ? text : callScalar(canonical, [text]));
        return [ask(name, [document, path]), ask(name, [document, path, variables, silent])];
      }),
    );
  });
}

for (const name of ['@?', '@@']) {
  test(`${name} holds where PostgreSQL's does`, async () => {
    await compare(
      samples.map(([text, path]) =>
        ask(name, [String(canonical === undefined ? text : callScalar(canonical, [text])), path]),
      ),
    );
  });
}

const written = [
  ...[
    '$',
    '$.a',
    '$."a"',
    '$.a.b.c',
    '$ . a',
    '$.a /* note */ .b',
    '$.\\u0061',
    '$."\\x61"',
    '$.null',
    '$.exists',
    '$.size',
    '$.lax',
  ],
  ...[
    '',
    '$.',
    '$[',
    '$[]',
    '$[0',
    '$.a.',
    'a',
    '@',
    'last',
    '$[last]',
    '$ ? (@ == 1',
    '$ ? @',
    '$ && $',
    '1 == 2 == 3',
    '!$',
    '!exists($)',
  ],
  ...[
    '$ == 1 && 2',
    '$.foo()',
    '$.size(1)',
    '$.**{1',
    '$.**{last to 2}',
    '1a',
    '1.',
    '01',
    '1__0',
    '"abc',
    '$"a',
    '-1',
    '--1',
    '- $',
    '$.a.type().type()',
  ],
  ...[
    'strict',
    'lax',
    'lax $',
    'STRICT $',
    'TRUE',
    '$ like_regex "("',
    '$ like_regex "a" flag "x"',
    '$ like_regex "a" flag "z"',
    '$ starts with 1',
    '($) is unknown',
    '($ == 1) is unknown',
  ],
  ...[
    '($ == 1).type()',
    '($.a).b',
    '$.a ? (@ > 1) ? (@ < 3)',
    '$.decimal(1,2,3)',
    '$.decimal(1.5)',
    '$.decimal(0)',
    '$.decimal(1, 2000)',
    '$[1 to]',
    '$[1,]',
    '$x',
    '$.$x',
  ],
];

test('paths are read and refused as by PostgreSQL', async () => {
  const theirs = await judge.ask(written.map((path) => `(${quote(path)}::jsonpath is not null)`));
  const differences = written.flatMap((path, index) => {
    const ours = outcome(
      () => {
        parseJsonPath(path);
        return true;
      },
      { kind: 'boolean' },
    );
    const their = theirs[index] as string;
    return agrees(ours, their) ? [] : [`${path}\n    judge ${their}\n    ours  ${ours}`];
  });
  assertNoDifferences(differences);
});

test('a path that is nested without end is refused', () => {
  try {
    parseJsonPath(`${'('.repeat(100_000)}$${')'.repeat(100_000)}`);
  } catch (cause) {
    if (cause instanceof StreamError && cause.code === 'SQL_TOO_COMPLEX') return;
    throw cause;
  }
  throw new Error('it was taken');
});

test('a path that visits a document without end is stopped, also when it is silent', () => {
  const document = `${'['.repeat(100)}${']'.repeat(100)}`;
  const fn = registry.scalars('@?').find((overload) => overload.parameters[0]?.kind === 'jsonb');
  if (fn === undefined) throw new Error('@? is missing');
  try {
    callScalar(fn, [document, 'strict $.**.**.**.**.**.**.x']);
  } catch (cause) {
    if (cause instanceof StreamError && cause.code === 'VALUE_PROGRAM_LIMIT') return;
    throw cause;
  }
  throw new Error('it was taken');
});
