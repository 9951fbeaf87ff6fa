/** Every overload of the registry against PostgreSQL, on random values with extremes and NULLs. */
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { registry } from '../../../sql/function/builtin.ts';
import { dateTimeDialectFunctions } from '../../../sql/function/datetime-dialect.ts';
import { types } from '../../../sql/function/define.ts';
import { mapTextFunctions } from '../../../sql/function/map.ts';
import type { ScalarFunction } from '../../../sql/function/scalar-function.ts';
import { stringDialectFunctions } from '../../../sql/function/string-dialect.ts';
import {
  assertNoDifferences,
  type CompareOptions,
  compareFunction,
  type Judge,
  openJudge,
  texts,
  valueTexts,
} from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

/** Functions of other systems (dialect.test.ts), and functions whose value is not determined by their arguments. */
const notPostgres = new Set([
  'ucase',
  'lcase',
  'len',
  'instr',
  'unix_timestamp',
  'from_unixtime',
  'make_interval',
  // What JSON(… WITH UNIQUE KEYS) becomes.
  'json_unique_keys',
  ...[...stringDialectFunctions, ...dateTimeDialectFunctions, ...mapTextFunctions].map(
    ({ name }) => name,
  ),
]);

/** The last digit of these depends on the C library. */
const inexact = new Set([
  'exp',
  'ln',
  'log',
  'log10',
  'power',
  'pow',
  '^',
  'sin',
  'cos',
  'tan',
  'cot',
  'asin',
  'acos',
  'atan',
  'atan2',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'cbrt',
  '||/',
  'degrees',
  'radians',
  ...['sind', 'cosd', 'tand', 'cotd', 'asind', 'acosd', 'atand', 'atan2d', 'erf', 'erfc'],
]);

const zones = fc.constantFrom(
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'PST',
  'gmt',
  'UTC+3',
  'Nowhere/City',
  '',
);
const units = fc.constantFrom(
  'microseconds',
  'milliseconds',
  'second',
  'minute',
  'HOUR',
  'day',
  'week',
  'month',
  'quarter',
  'year',
  'decade',
  'century',
  'millennium',
  'epoch',
  'dow',
  'isodow',
  'doy',
  'isoyear',
  'julian',
  'timezone',
  'timezone_hour',
  'mons',
  'foo',
);

const counts = fc.constantFrom('-2147483648', '-1', '0', '1', '2', '5', '100');

const likePatterns = fc.oneof(
  fc.constantFrom(
    '%',
    '',
    '_',
    'a%',
    '%c',
    '%b%',
    'a_c',
    '\\%',
    'a\\',
    '%\\_%',
    '_%_',
    'HELLO%',
    '%é%',
    '😀_😀',
    '%a%b%c',
    'abc',
    '___',
    '%%',
    'a\\bc',
    '%a',
  ),
  fc.stringMatching(/^[abcAB%_\\]{0,6}$/),
);
/** Well-formed expressions over a, b and c with groups, alternatives and both kinds of quantifiers. */
const regexTrees = fc.letrec<{ node: string; atom: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('atom'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
    tie('node').map((a) => `(${a})`),
    fc
      .tuple(
        tie('node'),
        fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?'),
      )
      .map(([a, q]) => `(${a})${q}`),
    fc.tuple(tie('atom'), fc.constantFrom('*', '+', '?', '*?', '+?')).map(([a, q]) => a + q),
  ),
  atom: fc.constantFrom('a', 'b', 'c', '.', '[ab]', '\\w', 'ab'),
})).node;

const regexes = fc.oneof(
  fc.constantFrom(
    'a',
    '^a',
    'c$',
    '.',
    'b+',
    '(a)(b)?',
    'a|b',
    '[a-c]+',
    '[^a]',
    '\\d+',
    '\\w+',
    '\\s',
    '(',
    '[',
    'a{2}',
    'a{2,1}',
    '(?i)ABC',
    'x*',
    '',
    '^$',
    '\\m\\w',
    '\\y',
    '(\\w)\\1',
    '(?=b)',
    '[[:alpha:]]+',
    '[[:digit:]]',
    '\\Aa',
    'c\\Z',
    'b*?',
    '*',
    'a**',
    '(?:ab)+',
    '([a-z]+),([a-z]+)',
    'é',
    '\\u00e9',
    '(?<=a)b',
    '(?!a)',
    '[\\w,]+',
    '\\.',
    '^.*$',
    'a.c',
    '{',
    'a{',
    'a{,3}',
    '***=a.',
    '(a|ab)(c|bcd)*',
    '(b|bc)',
    'a+?b',
    '\\',
    '[b-a]',
    '[[:foo:]]',
    '()',
    '(|a)',
    'l+o',
  ),
  fc.stringMatching(/^[abc.|?*+()]{0,5}$/),
  regexTrees,
);
const flags = fc.constantFrom('', 'i', 'g', 'gi', 'n', 'c', 'x', 'q', 'z', 'ng');
const replacements = fc.constantFrom(
  '',
  'X',
  '[\\&]',
  '\\1',
  '<\\1\\2>',
  '\\\\',
  '\\x',
  '\\',
  '$&',
);
const smallNumbers = fc.constantFrom('-1', '0', '1', '2', '3', '5', '100');
const encodings = fc.constantFrom('hex', 'base64', 'escape', 'HEX', 'utf8', 'UTF8', 'foo');
const jsonPaths = fc.constantFrom(
  '{}',
  '{a}',
  '{a,b}',
  '{a,b,1,c}',
  '{0}',
  '{-1}',
  '{1,a}',
  '{a,NULL}',
  '{b}',
  '{x,y}',
  '{" 1"}',
  '{+0}',
  '{c,0}',
  '{NULL}',
  '{5}',
  '{-9}',
);
const jsonKeys = fc.constantFrom('a', 'b', 'c', '', '0', 'x', '1');

/** Names whose regular expression is the second argument, with what follows it. */
const regexArguments: Readonly<Record<string, readonly fc.Arbitrary<string>[]>> = {
  '~': [],
  '!~': [],
  '~*': [],
  '!~*': [],
  regexp_match: [flags],
  regexp_like: [flags],
  regexp_count: [smallNumbers, flags],
  regexp_substr: [smallNumbers, smallNumbers, flags, smallNumbers],
  regexp_instr: [smallNumbers, smallNumbers, smallNumbers, flags, smallNumbers],
  regexp_split_to_array: [flags],
};

function patternOptions(name: string, fn: ScalarFunction): CompareOptions | undefined {
  const following = regexArguments[name];
  if (following !== undefined)
    return {
      values: {
        1: regexes,
        ...Object.fromEntries(following.map((values, index) => [index + 2, values])),
      },
    };
  if (name === 'regexp_replace') {
    const last = fn.parameters[3]?.kind === 'text' ? flags : smallNumbers;
    return { values: { 1: regexes, 2: replacements, 3: last, 4: smallNumbers, 5: flags } };
  }
  if (/^!?~~\*?$|like$/.test(name)) return { values: { 1: likePatterns } };
  if (name === 'like_escape')
    return { values: { 0: likePatterns, 1: fc.constantFrom('', '\\', 'a', '%', 'ab') } };
  if (name === 'substring' && fn.parameters[1]?.kind === 'text') {
    const similar = fc.constantFrom(
      '%#"b%#"%',
      '%',
      '#"a#"%',
      'a_c',
      '%#"[a-c]+#"_',
      '#',
      'a#"b',
      '%\\"b\\"%',
    );
    return {
      values:
        fn.parameters.length === 3
          ? { 1: similar, 2: fc.constantFrom('#', '\\', '', 'ab') }
          : { 1: regexes },
    };
  }
  return undefined;
}

const nullTreatments = fc.constantFrom(
  ...['use_json_null', 'delete_key', 'return_target', 'raise_exception', 'other'],
);

function jsonOptions(fn: ScalarFunction): CompareOptions | undefined {
  if (fn.name === 'jsonb_set_lax')
    return { values: { 1: jsonPaths, 4: nullTreatments }, nullShare: 3 };
  const [first, second] = fn.parameters;
  if (first?.kind !== 'jsonb' && first?.kind !== 'json') return undefined;
  if (second?.kind === 'array') return { values: { 1: jsonPaths } };
  if (second?.kind === 'text') return { values: { 1: jsonKeys } };
  if (second?.kind === 'integer') return { values: { 1: smallNumbers } };
  return {};
}

const numberPictures = fc.oneof(
  fc.constantFrom(
    '999',
    '9,999.99',
    'FM999.99',
    '0000',
    'S999',
    '999S',
    '999MI',
    'MI999',
    '999PR',
    'SG999',
    'PL999',
    '99.9',
    'FM0.99',
    '9.99EEEE',
    'RN',
    'FMRN',
    '999th',
    '99V99',
    'L999',
    '9G999D99',
    '"x"999',
    '',
    '.99',
    'FM.99',
    '999,',
    'B999',
    '9 9',
    '0.0',
    'FM9.9',
    '99.99S',
    'FM990.00',
    '9',
    '0',
    '999.',
    'FM9,999',
    '999TH',
    'PL99',
    'rn',
    '9.9.9',
    'EEEE9',
    'fm00',
    '00.00PR',
    'S9.9',
  ),
  fc
    .array(
      fc.constantFrom(
        '9',
        '0',
        '.',
        ',',
        'S',
        'MI',
        'PL',
        'SG',
        'PR',
        'FM',
        'D',
        'G',
        'x',
        '99',
        '09',
        'V',
        'TH',
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join('')),
);
const datePictures = fc.oneof(
  fc.constantFrom(
    'YYYY-MM-DD HH24:MI:SS',
    'YYYY-MM-DD"T"HH24:MI:SS.MSZ',
    'Day, DD Month YYYY',
    'FMDay, FMDD FMMonth YYYY',
    'HH12:MI AM',
    'DY Dy dy',
    'MON Mon mon',
    'DDD',
    'DDth',
    'FMDDth',
    'Q',
    'WW IW W',
    'IYYY-IW-ID',
    'J',
    'CC',
    'Y,YYY YYY YY Y',
    'RM rm',
    'US MS FF3',
    'SSSS',
    'TZ tz TZH:TZM OF',
    'BC A.D. ad',
    '\\"YYYY\\"',
    'HH',
    'MONTH month',
    'D ID IDDD',
    '',
    'YYYYth',
    'plain text',
  ),
  fc
    .array(
      fc.constantFrom(
        'YYYY',
        'MM',
        'DD',
        'HH24',
        'MI',
        'SS',
        'FM',
        'TH',
        'th',
        '-',
        ' ',
        'Mon',
        'DAY',
        'I',
        'IY',
        'AM',
        'p.m.',
        '"q"',
        'US',
        'CC',
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join('')),
);
function pictureOptions(name: string, fn: ScalarFunction): CompareOptions | undefined {
  if (name === 'to_char') {
    const dated = ['timestamp', 'timestamptz', 'interval'].includes(fn.parameters[0]?.kind ?? '');
    // Beyond this range PostgreSQL's multiplication for V wraps around.
    const mild = fc.integer({ min: -99999, max: 99999 }).map(String);
    const integral = fn.parameters[0]?.kind === 'integer' || fn.parameters[0]?.kind === 'bigint';
    return {
      values: { 1: dated ? datePictures : numberPictures, ...(integral ? { 0: mild } : {}) },
    };
  }
  if (name === 'to_number') {
    const inputs = fc.constantFrom(
      '12',
      '-12.5',
      '1,234.56',
      ' 7',
      '12-',
      '<5>',
      '+3',
      '1234',
      '0.1',
      '12.345',
      '$5',
      '5th',
      '',
      'abc',
      '1 2',
      '00012',
      '.5',
      '-.5',
      '99999',
    );
    return { values: { 0: inputs, 1: numberPictures.filter((picture) => !/rn/i.test(picture)) } };
  }
  return undefined;
}

const doubleTexts = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(
      'NaN',
      'Infinity',
      '-Infinity',
      '0',
      '-0',
      '1',
      '-1',
      '2',
      '0.5',
      '-0.5',
      '1e-300',
      '1e300',
    ),
    fc
      .double({ min, max, noNaN: true })
      .filter((x) => Math.abs(x) > 1e-300)
      .map(String),
    fc
      .double({ min: -3, max: 3, noNaN: true })
      .filter((x) => Math.abs(x) > 1e-300)
      .map(String),
    fc.integer({ min: Math.trunc(min), max: Math.trunc(max) }).map(String),
  );
/** Beyond these the complement is a number of fewer digits. */
const errorArguments = doubleTexts(-26, 26);
const gammaArguments = doubleTexts(-180, 180);
const unicodeTexts = fc.oneof(
  fc.constantFrom(
    'é',
    'e\u0301',
    'ﬁ',
    'Å',
    '\u212b',
    'q\u0307\u0323',
    '한글',
    '\u1100\u1161',
    '\u0378',
    'ẛ̣',
  ),
  fc.constantFrom(...texts),
);
const normalForms = fc.constantFrom('NFC', 'nfd', 'NFKC', 'NFKD', 'foo');
const unicodeEscapes = fc
  .array(
    fc.constantFrom(
      'a',
      '\\0061',
      '\\+01F600',
      '\\u00e9',
      '\\U0001F600',
      '\\\\',
      '\\',
      '\\D83D',
      '\\DE00',
      '\\uD83D',
      '\\U0000DE00',
      '\\+110000',
      '\\zz',
      '\\0000',
    ),
    { maxLength: 3 },
  )
  .map((parts) => parts.join(''));
const identifiers = fc
  .array(
    fc.constantFrom('a', 'B1', '.', '"', '"x y"', '""', '"a""b"', ' ', '1', '_', '$', '(int)', 'É'),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));
const uuids = fc.oneof(
  valueTexts(types.uuid),
  fc
    .tuple(fc.uuid(), fc.constantFrom('1', '4', '7'), fc.constantFrom('8', 'b', 'c', '7'))
    .map(
      ([uuid, version, variant]) =>
        `${uuid.slice(0, 14)}${version}${uuid.slice(15, 19)}${variant}${uuid.slice(20)}`,
    ),
);

function unicodeOptions(name: string): CompareOptions | undefined {
  switch (name) {
    case 'normalize':
    case 'is_normalized':
      return { values: { 0: unicodeTexts, 1: normalForms } };
    case 'unicode_assigned':
      return { values: { 0: unicodeTexts } };
    case 'unistr':
      return { values: { 0: unicodeEscapes } };
    case 'parse_ident':
      return { values: { 0: identifiers } };
    case 'uuid_extract_timestamp':
    case 'uuid_extract_version':
      return { values: { 0: uuids } };
    default:
      return undefined;
  }
}

function optionsFor(name: string, fn: ScalarFunction): CompareOptions {
  const special = patternOptions(name, fn) ?? pictureOptions(name, fn) ?? jsonOptions(fn);
  if (special !== undefined) return special;
  if (name === 'length' && fn.parameters.length === 2) return { values: { 1: encodings } };
  if (name === 'encode' || name === 'decode' || name.startsWith('convert_'))
    return { values: { 1: encodings } };
  if (name === 'erf' || name === 'erfc') return { tolerance: 1e-14, values: { 0: errorArguments } };
  if (name === 'gamma' || name === 'lgamma') {
    // Near its zeros the logarithm has no more digits than its argument.
    return { tolerance: 1e-12, values: { 0: gammaArguments } };
  }
  if (inexact.has(name)) return { tolerance: name.endsWith('d') ? 1e-13 : 1e-14 };
  const unicode = unicodeOptions(name);
  if (unicode !== undefined) return unicode;
  if (name === 'date_add' || name === 'date_subtract') return { values: { 2: zones } };
  if (name === 'timezone') return { values: { 0: zones } };
  if (name === 'extract' || name === 'date_part') return { values: { 0: units } };
  if (name === 'date_trunc') return { values: { 0: units, 2: zones } };
  // Larger counts build gigabytes on both sides.
  if (['lpad', 'rpad', 'repeat'].includes(name)) return { values: { 1: counts } };
  return {};
}

for (const name of registry.names()) {
  const overloads = registry
    .scalars(name)
    .filter((fn) => !(name === 'to_timestamp' && fn.parameters.length === 2))
    .filter((fn) => fn.volatility === undefined || fn.volatility === 'immutable');
  // Two texts that must fit one another: see picture.test.ts. Paths are of a type of their own: json-path.test.ts.
  if (name === 'to_date' || name.startsWith('jsonb_path_') || name === '@?' || name === '@@')
    continue;
  if (notPostgres.has(name) || overloads.length === 0) continue;
  test(`${name} answers as PostgreSQL`, async () => {
    for (const fn of overloads) {
      const options = optionsFor(name, fn);
      const interval = fn.parameters[0]?.kind === 'interval' && name === 'timezone';
      assertNoDifferences(await compareFunction(judge, fn, interval ? {} : options));
    }
  });
}
