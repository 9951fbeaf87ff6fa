/** to_char, to_number, to_date and to_timestamp with a picture. */
import { formatInterval, formatTimestamp } from '../base/datetime-format.ts';
import { scanDate, scanTimestamp } from '../base/datetime-scan.ts';
import { formatDouble, formatInteger, formatNumeric } from '../base/number-format.ts';
import { parseNumber } from '../base/number-parse.ts';
import { Numeric } from '../base/numeric.ts';
import { family } from './define.ts';

const strings = family('string');
const times = family('datetime');
export const pictureFunctions = [strings.functions, times.functions];

const shown = 'number as text along a picture';
strings.define('to_char', ['integer', 'text'], 'text', shown, formatInteger);
strings.define('to_char', ['bigint', 'text'], 'text', shown, (value, picture) =>
  formatNumeric(Numeric.fromInt(value), picture),
);
strings.define('to_char', ['numeric', 'text'], 'text', shown, formatNumeric);
strings.define('to_char', ['real', 'text'], 'text', shown, (value, picture) =>
  formatDouble(value, picture, 6),
);
strings.define('to_char', ['double', 'text'], 'text', shown, (value, picture) =>
  formatDouble(value, picture, 15),
);
strings.define(
  'to_number',
  ['text', 'text'],
  'numeric',
  'number read along a picture',
  parseNumber,
);
times.define(
  'to_char',
  ['timestamp', 'text'],
  'text',
  'time as text along a picture',
  (micros, picture) => formatTimestamp(micros, picture, ''),
);
times.define(
  'to_char',
  ['timestamptz', 'text'],
  'text',
  'time in UTC as text along a picture',
  (micros, picture) => formatTimestamp(micros, picture, 'UTC'),
);
times.define(
  'to_char',
  ['interval', 'text'],
  'text',
  'interval as text along a picture',
  formatInterval,
);
times.define('to_date', ['text', 'text'], 'date', 'date read along a picture', scanDate);
times.define(
  'to_timestamp',
  ['text', 'text'],
  'timestamptz',
  'time read along a picture',
  scanTimestamp,
);
