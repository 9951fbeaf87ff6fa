/** to_date, to_timestamp and to_number: texts with the pictures that fit them, and some that do not. */
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { registry } from '../../../sql/function/builtin.ts';
import { callScalar } from '../../../sql/function/define.ts';
import { agrees, assertNoDifferences, type Judge, openJudge, outcome, quote } from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

const dates: readonly (readonly [string, string])[] = [
  ['2024-02-29', 'YYYY-MM-DD'],
  ['20240229', 'YYYYMMDD'],
  ['29 Feb 2024', 'DD Mon YYYY'],
  ['2024-060', 'YYYY-DDD'],
  ['2024-02-30', 'YYYY-MM-DD'],
  ['12/31/99', 'MM/DD/YY'],
  ['1 January 2020', 'FMDD FMMonth YYYY'],
  ['1 JANUARY 2020', 'DD Month YYYY'],
  ['2020/1/2', 'YYYY/MM/DD'],
  ['2020-W01-3', 'IYYY-"W"IW-ID'],
  ['2451187', 'J'],
  ['99', 'YY'],
  ['20', 'YY'],
  ['520', 'YYY'],
  ['2', 'Y'],
  ['2024', 'YYYY'],
  ['2024-13-01', 'YYYY-MM-DD'],
  ['44-03-15 BC', 'YYYY-MM-DD BC'],
  ['abc', 'YYYY'],
  ['2024-xx', 'YYYY-MM'],
  ['Tuesday, 2 January 2024', 'Day, DD Month YYYY'],
  ['2024 03', 'YYYY MM'],
  ['2024-01-02 extra', 'YYYY-MM-DD'],
  ['  2024-01-02', 'YYYY-MM-DD'],
  ['2024.01.02', 'YYYY-MM-DD'],
  ['20240102', 'YYYY-MM-DD'],
  ['2,024-01-02', 'Y,YYY-MM-DD'],
  ['21 01', 'CC YY'],
  ['2024 5', 'YYYY WW'],
  ['2024-07 2', 'YYYY-MM W'],
  ['IV 2024', 'RM YYYY'],
  ['12024-01-01', 'YYYY-MM-DD'],
  ['5 Octember 2000', 'DD Month YYYY'],
];

const timestamps: readonly (readonly [string, string])[] = [
  ['2024-01-02 03:04:05', 'YYYY-MM-DD HH24:MI:SS'],
  ['2024-01-02T03:04:05.678', 'YYYY-MM-DD"T"HH24:MI:SS.MS'],
  ['2024-01-02 03:04:05.5', 'YYYY-MM-DD HH24:MI:SS.US'],
  ['2024-01-02 11:04 PM', 'YYYY-MM-DD HH12:MI AM'],
  ['2024-01-02 12:04 am', 'YYYY-MM-DD HH:MI am'],
  ['2024-01-02 13:04 PM', 'YYYY-MM-DD HH12:MI PM'],
  ['12:34:56', 'HH24:MI:SS'],
  ['2024-01-02 86399', 'YYYY-MM-DD SSSS'],
  ['2024-01-02 03:04:05+05', 'YYYY-MM-DD HH24:MI:SSTZH'],
  ['2024-01-02 03:04:05-05:30', 'YYYY-MM-DD HH24:MI:SSTZH:TZM'],
  ['2024-01-02 25:00', 'YYYY-MM-DD HH24:MI'],
  ['2024-01-02 03:60', 'YYYY-MM-DD HH24:MI'],
  ['20240102030405', 'YYYYMMDDHH24MISS'],
  ['2024-01-02 03', 'YYYY-MM-DD HH24:MI:SS'],
  ['2024-01-02 03:04:05.123456', 'YYYY-MM-DD HH24:MI:SS.FF6'],
  ['2024-01-02 03:04:05.12', 'YYYY-MM-DD HH24:MI:SS.FF3'],
  ['2024-01-02 03:04:05 EST', 'YYYY-MM-DD HH24:MI:SS TZ'],
  ['05 Dec 2000', 'DD Mon YYYY'],
  ['2000    JUN', 'YYYY MON'],
  ['2000/JUN', 'YYYY MON'],
  ['2000----JUN', 'YYYY MON'],
  ['1st of May 2020', 'DDth "of" Month YYYY'],
  ['2024-01-02 03:04:05.678', 'YYYY-MM-DD HH24:MI:SS'],
];

for (const [name, inputs] of [
  ['to_date', dates],
  ['to_timestamp', timestamps],
] as const) {
  test(`${name} reads as PostgreSQL`, async () => {
    const fn = registry.scalars(name).find((overload) => overload.parameters.length === 2);
    if (fn === undefined) throw new Error(`${name} is missing`);
    const theirs = await judge.ask(
      inputs.map(([text, picture]) => `${name}(${quote(text)}, ${quote(picture)})`),
    );
    const differences = inputs.flatMap(([text, picture], index) => {
      const ours = outcome(() => callScalar(fn, [text, picture]), fn.result);
      const their = theirs[index] as string;
      return agrees(ours, their)
        ? []
        : [`${name}(${text}, ${picture})\n    judge ${their}\n    ours  ${ours}`];
    });
    assertNoDifferences(differences);
  });
}

const numberPicture = fc
  .array(
    fc.constantFrom(
      ...[
        '9',
        '9',
        '9',
        '0',
        '0',
        ',',
        '.',
        'D',
        'G',
        'S',
        'MI',
        'PL',
        'SG',
        'FM',
        'PR',
        'L',
        'TH',
      ],
      ...['th', 'V', 'B', '$', '"x"', 'EEEE', ' '],
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const numberText = fc
  .array(fc.constantFrom(...'123095-+.,<> $xXIVte'), { maxLength: 9 })
  .map((parts) => parts.join(''));
const romanText = fc
  .array(fc.constantFrom(...'IIIIVXXXLCCCDMMM ivx1'), { maxLength: 16 })
  .map((parts) => parts.join(''));
const romanPicture = fc.constantFrom(
  'RN',
  'FMRN',
  'rn',
  '9RN',
  'RN9',
  'RN,',
  'RNRN',
  'RND',
  ' RN',
  'RNth',
);

test('to_number reads as PostgreSQL', async () => {
  const fn = registry.scalars('to_number').find((overload) => overload.parameters.length === 2);
  if (fn === undefined) throw new Error('to_number is missing');
  const inputs = [
    ['1,234.56', 'FM9,999.99'] as const,
    ['-1,234.56', '9G999D99S'] as const,
    ['MMXXIV', 'RN'] as const,
    ...fc.sample(fc.tuple(numberText, numberPicture), 1_500),
    ...fc.sample(fc.tuple(romanText, romanPicture), 500),
  ];
  const differences: string[] = [];
  for (let from = 0; from < inputs.length; from += 500) {
    const some = inputs.slice(from, from + 500);
    const theirs = await judge.ask(
      some.map(([text, picture]) => `to_number(${quote(text)}, ${quote(picture)})`),
    );
    for (const [index, [text, picture]] of some.entries()) {
      const ours = outcome(() => callScalar(fn, [text, picture]), fn.result);
      const their = theirs[index] as string;
      if (agrees(ours, their)) continue;
      differences.push(`to_number(${text}, ${picture})\n    judge ${their}\n    ours  ${ours}`);
    }
  }
  assertNoDifferences(differences);
});
