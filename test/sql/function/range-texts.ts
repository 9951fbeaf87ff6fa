/** Texts of ranges, few bounds so that ranges meet, with open ends, empty ones and the ends of what a type holds. */
import fc from 'fast-check';
import type { RangeName } from '../../../sql/base/type.ts';

const time = [
  '2024-03-01 10:00',
  '2024-03-01 10:00:00.5',
  '2024-03-31 02:30',
  '2024-10-27',
  '-infinity',
];

export const boundTexts: { readonly [N in RangeName]: readonly string[] } = {
  int4range: ['-2', '0', '1', '2', '3', '4', '2147483647', '-2147483648'],
  int8range: ['-2', '0', '1', '2', '3', '9223372036854775807', '-9223372036854775808'],
  numrange: ['-1.5', '0', '1', '1.0', '1.00', '2', '2.5', 'NaN', 'Infinity', '-Infinity'],
  daterange: [
    '2024-02-28',
    '2024-02-29',
    '2024-03-01',
    '2024-03-02',
    'infinity',
    '-infinity',
    '5874897-12-31',
  ],
  tsrange: [...time, 'infinity', '0044-03-15 BC'],
  tstzrange: [...time.map((text) => (text.includes(':') ? `${text}+02` : text)), 'infinity'],
};

const wrap = (open: string, lower: string, upper: string, close: string): string =>
  `${open}${lower.includes(' ') ? `"${lower}"` : lower},${upper}${close}`;

/** Also of ranges whose bounds are in the wrong order. */
export function rangeTexts(name: RangeName): fc.Arbitrary<string> {
  const bound = fc.constantFrom(...boundTexts[name], '');
  const range = fc
    .tuple(fc.constantFrom('[', '('), bound, bound, fc.constantFrom(']', ')'))
    .map((parts) => wrap(...parts));
  return fc.oneof({ weight: 12, arbitrary: range }, { weight: 1, arbitrary: fc.constant('empty') });
}

const pieces = [
  '[',
  '(',
  ')',
  ']',
  ',',
  '"',
  '\\',
  ' ',
  '\t',
  '1',
  '2',
  'a',
  'empty',
  'EMPTY',
  '""',
  '\\"',
  '+1',
  '1e1',
];

/** What may or may not be a range. */
export const literalTexts: fc.Arbitrary<string> = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 7 }).map((parts) => parts.join('')),
  fc
    .tuple(
      fc.constantFrom('[', '(', ' [', '', 'x'),
      ...[0, 1].map(() => fc.array(fc.constantFrom(...pieces), { maxLength: 2 })),
      fc.constantFrom(']', ')', '] ', ',', ''),
    )
    .map(
      ([open, lower, upper, close]) =>
        `${String(open)}${(lower as string[]).join('')},${(upper as string[]).join('')}${String(close)}`,
    ),
);
