/** The keywords of to_char(timestamp, …), to_date and to_timestamp. */
import { cachePictures, splitPicture } from './format-picture.ts';

const upperKeywords = [
  'A.D.',
  'A.M.',
  'AD',
  'AM',
  'B.C.',
  'BC',
  'CC',
  'DAY',
  'DDD',
  'DD',
  'DY',
  'D',
  'FF1',
  'FF2',
  'FF3',
  'FF4',
  'FF5',
  'FF6',
  'FX',
  'HH24',
  'HH12',
  'HH',
  'IDDD',
  'ID',
  'IW',
  'IYYY',
  'IYY',
  'IY',
  'I',
  'J',
  'MI',
  'MM',
  'MONTH',
  'MON',
  'MS',
  'OF',
  'P.M.',
  'PM',
  'Q',
  'RM',
  'SSSSS',
  'SSSS',
  'SS',
  'TZH',
  'TZM',
  'TZ',
  'US',
  'WW',
  'W',
  'Y,YYY',
  'YYYY',
  'YYY',
  'YY',
  'Y',
] as const;

export type DateKey = (typeof upperKeywords)[number];
/** How names of months and days, eras and the like are written. */
export type NameCase = 'upper' | 'capital' | 'lower';

export interface DateKeyword {
  readonly name: string;
  readonly key: DateKey;
  readonly nameCase: NameCase;
}

const capitals: readonly (readonly [string, DateKey])[] = [
  ['Day', 'DAY'],
  ['Dy', 'DY'],
  ['Month', 'MONTH'],
  ['Mon', 'MON'],
];

// Longer keywords first, so that DDD is not read as D, D, D.
const keywords: readonly DateKeyword[] = [
  ...upperKeywords.map((key): DateKeyword => ({ name: key, key, nameCase: 'upper' })),
  ...capitals.map(([name, key]): DateKeyword => ({ name, key, nameCase: 'capital' })),
  ...upperKeywords.map((key): DateKeyword => ({ name: key.toLowerCase(), key, nameCase: 'lower' })),
].sort((a, b) => b.name.length - a.name.length);

/** A picture's keywords and literals, in order. */
export const datePicture = cachePictures((picture: string) =>
  splitPicture(picture, (rest) => keywords.find((keyword) => rest.startsWith(keyword.name)), true),
);

export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const dayNames = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
];
export const romanMonths = [
  'I',
  'II',
  'III',
  'IV',
  'V',
  'VI',
  'VII',
  'VIII',
  'IX',
  'X',
  'XI',
  'XII',
];
