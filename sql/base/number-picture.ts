/** The pictures of to_char(number, …) and to_number: what their keywords ask for. */
import { StreamError } from './error.ts';
import { cachePictures, type PictureNode, splitPicture } from './format-picture.ts';

export type NumberKey =
  | ','
  | '.'
  | '0'
  | '9'
  | 'B'
  | 'C'
  | 'D'
  | 'EEEE'
  | 'FM'
  | 'G'
  | 'L'
  | 'MI'
  | 'PL'
  | 'PR'
  | 'RN'
  | 'rn'
  | 'SG'
  | 'SP'
  | 'S'
  | 'TH'
  | 'th'
  | 'V';

interface Keyword {
  readonly name: string;
  readonly key: NumberKey;
}

const upperKeys: readonly NumberKey[] = [
  ',',
  '.',
  '0',
  '9',
  'B',
  'C',
  'D',
  'EEEE',
  'FM',
  'G',
  'L',
  'MI',
  'PL',
  'PR',
  'RN',
  'SG',
  'SP',
  'S',
  'TH',
  'V',
];
const keywords: readonly Keyword[] = upperKeys.flatMap((key) => {
  const lower = key.toLowerCase();
  if (lower === key) return [{ name: key, key }];
  const lowerKey = lower === 'rn' || lower === 'th' ? lower : key;
  return [
    { name: key, key },
    { name: lower, key: lowerKey },
  ];
});

export interface NumberPicture {
  readonly nodes: readonly PictureNode<Keyword>[];
  /** Digit places before and after the point, and after V. */
  readonly pre: number;
  readonly post: number;
  readonly multi: number;
  readonly zero: boolean;
  readonly zeroStart: number;
  readonly zeroEnd: number;
  readonly decimal: boolean;
  readonly fill: boolean;
  readonly sign: 'none' | 'before' | 'after';
  readonly signPlaces: number;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly bracket: boolean;
  readonly roman: boolean;
  readonly scaled: boolean;
  readonly scientific: boolean;
}

function syntax(message: string): StreamError {
  return new StreamError('SQL_SYNTAX', message);
}

type Draft = { -readonly [K in Exclude<keyof NumberPicture, 'nodes'>]: NumberPicture[K] } & {
  blank: boolean;
};

function applyDigit(draft: Draft, key: '0' | '9'): void {
  if (draft.bracket) throw syntax(`"${key}" must be ahead of "PR"`);
  if (key === '9') {
    if (draft.scaled) draft.multi++;
    else if (draft.decimal) draft.post++;
    else draft.pre++;
    return;
  }
  if (!draft.zero && !draft.decimal) {
    draft.zero = true;
    draft.zeroStart = draft.pre;
  }
  if (draft.decimal) draft.post++;
  else draft.pre++;
  draft.zeroEnd = draft.pre + draft.post;
}

function applySign(draft: Draft): void {
  if (draft.sign !== 'none') throw syntax('cannot use "S" twice');
  if (draft.plus || draft.minus || draft.bracket) {
    throw syntax('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
  }
  draft.sign = draft.decimal ? 'after' : 'before';
  if (!draft.decimal) draft.signPlaces = draft.pre;
}

function applyScientific(draft: Draft): void {
  if (draft.scientific) throw syntax('cannot use "EEEE" twice');
  const other =
    draft.blank ||
    draft.fill ||
    draft.sign !== 'none' ||
    draft.bracket ||
    draft.minus ||
    draft.plus ||
    draft.roman ||
    draft.scaled;
  if (other) throw syntax('"EEEE" is incompatible with other formats');
  draft.scientific = true;
}

function apply(draft: Draft, key: NumberKey): void {
  if (draft.scientific && key !== 'EEEE') {
    throw syntax('"EEEE" must be the last pattern used');
  }
  switch (key) {
    case '0':
    case '9':
      applyDigit(draft, key);
      break;
    case 'B':
      if (draft.pre === 0 && draft.post === 0 && !draft.zero) draft.blank = true;
      break;
    case 'D':
    case '.':
      if (draft.decimal) throw syntax('multiple decimal points');
      if (draft.scaled) throw syntax('cannot use "V" and decimal point together');
      draft.decimal = true;
      break;
    case 'FM':
      draft.fill = true;
      break;
    case 'S':
      applySign(draft);
      break;
    case 'MI':
    case 'PL':
    case 'SG':
      if (draft.sign !== 'none') throw syntax(`cannot use "S" and "${key}" together`);
      if (key !== 'PL') draft.minus = true;
      if (key !== 'MI') draft.plus = true;
      break;
    case 'PR':
      if (draft.sign !== 'none' || draft.plus || draft.minus) {
        throw syntax('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
      }
      draft.bracket = true;
      break;
    case 'RN':
    case 'rn':
      if (draft.roman) throw syntax('cannot use "RN" twice');
      draft.roman = true;
      break;
    case 'V':
      if (draft.decimal) throw syntax('cannot use "V" and decimal point together');
      draft.scaled = true;
      break;
    case 'EEEE':
      applyScientific(draft);
      break;
    default:
      break;
  }
}

function refuseBesideRoman(draft: Draft): void {
  const other =
    draft.zero ||
    draft.blank ||
    draft.decimal ||
    draft.sign !== 'none' ||
    draft.bracket ||
    draft.minus ||
    draft.plus ||
    draft.scaled ||
    draft.scientific;
  if (!draft.roman || !other) return;
  throw new StreamError('SQL_SYNTAX', '"RN" is incompatible with other formats', {
    detail: '"RN" may only be used together with "FM".',
  });
}

/** @throws StreamError SQL_SYNTAX for combinations that contradict each other. */
export const numberPicture = cachePictures((picture: string): NumberPicture => {
  const nodes = splitPicture(
    picture,
    (rest) => keywords.find((keyword) => rest.startsWith(keyword.name)),
    false,
  );
  const draft: Draft = {
    pre: 0,
    post: 0,
    multi: 0,
    zero: false,
    zeroStart: 0,
    zeroEnd: 0,
    decimal: false,
    fill: false,
    sign: 'none',
    signPlaces: 0,
    minus: false,
    plus: false,
    bracket: false,
    roman: false,
    scaled: false,
    scientific: false,
    blank: false,
  };
  for (const node of nodes) {
    if (node.kind !== 'keyword') continue;
    apply(draft, node.key.key);
    refuseBesideRoman(draft);
  }
  return { ...draft, nodes };
});
