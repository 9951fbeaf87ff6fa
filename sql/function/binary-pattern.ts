/** LIKE and OVERLAY over bytes: a byte is taken for the character of its number. */
import { bytesFromLatin, latinFromBytes } from '../base/bytea.ts';
import { like, likeEscape } from '../base/like.ts';
import { family } from './define.ts';
import { overlay } from './string.ts';

const { functions, define } = family('binary');
export const binaryPatternFunctions = functions;

const likeBytes = (bytes: Uint8Array, pattern: Uint8Array): boolean =>
  like(latinFromBytes(bytes), latinFromBytes(pattern));

for (const name of ['~~', 'like']) {
  define(name, ['bytea', 'bytea'], 'boolean', 'LIKE', likeBytes);
}
for (const name of ['!~~', 'notlike']) {
  define(
    name,
    ['bytea', 'bytea'],
    'boolean',
    'NOT LIKE',
    (bytes, pattern) => !likeBytes(bytes, pattern),
  );
}
define(
  'like_escape',
  ['bytea', 'bytea'],
  'bytea',
  'LIKE pattern with another escape character',
  (pattern, mark) => bytesFromLatin(likeEscape(latinFromBytes(pattern), latinFromBytes(mark))),
);

function overlayBytes(
  bytes: Uint8Array,
  replacement: Uint8Array,
  start: number,
  length: number,
): Uint8Array {
  return bytesFromLatin(overlay(latinFromBytes(bytes), latinFromBytes(replacement), start, length));
}

define(
  'overlay',
  ['bytea', 'bytea', 'integer'],
  'bytea',
  'part of the bytes replaced',
  (bytes, replacement, start) => overlayBytes(bytes, replacement, start, replacement.length),
);
define(
  'overlay',
  ['bytea', 'bytea', 'integer', 'integer'],
  'bytea',
  'part of the bytes replaced',
  overlayBytes,
);
