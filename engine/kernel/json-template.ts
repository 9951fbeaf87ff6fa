/**
 * The first tier of the JSON scanner: producers write the same members in the same order with the same
 * spaces, so the bytes between the values of one record predict those of the next. A template is learnt
 * from a record; the code generated from it compares those bytes by words and reads the values in between.
 * Whatever is different takes the second tier, record by record.
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { JsonField } from './json-field.ts';
import { DecimalReader, DIGITS_MAX } from './json-number.ts';
import { ALSE, CLOSE_OBJECT, COMMA, type JsonWalker, NULL, QUOTE, TRUE } from './json-walker.ts';

/** Bytes that must follow a record in its buffer, so that word reads and digit loops need no bounds. */
export const SLACK_BYTES = 32;
const MEMBERS_MAX = 256;

export interface TemplateMember {
  /** What stands before the value: from the end of the value before it, or from the record's start. */
  readonly literal: Buffer;
  /** Number of the wanted field, -1 for a value that is walked only. */
  readonly field: number;
  readonly token: 'string' | 'number' | 'other';
}

export interface Template {
  readonly members: readonly TemplateMember[];
  /** From the end of the last value to the end of the record. */
  readonly tail: Buffer;
}

/**
 * @param fieldStarts  where the second tier found each field's value; -1 = the record lacks it.
 * @returns undefined for records that predict nothing: two fields read one value, or too many members.
 */
export function learnTemplate(
  walker: JsonWalker,
  start: number,
  end: number,
  fieldStarts: Int32Array,
): Template | undefined {
  const { bytes } = walker;
  walker.end = end;
  const members: TemplateMember[] = [];
  let from = start;
  let at = walker.space(walker.space(start) + 1);
  while (bytes[at] !== CLOSE_OBJECT) {
    const valueStart = walker.key(at);
    const valueEnd = walker.value(valueStart);
    const field = fieldStarts.indexOf(valueStart);
    if (field >= 0 && fieldStarts.includes(valueStart, field + 1)) return undefined;
    if (members.length === MEMBERS_MAX) return undefined;
    members.push({
      literal: Buffer.from(bytes.subarray(from, valueStart)),
      field,
      token: tokenKind(bytes[valueStart] as number),
    });
    from = valueEnd;
    at = walker.space(valueEnd);
    if (bytes[at] === COMMA) at = walker.space(at + 1);
  }
  return { members, tail: Buffer.from(bytes.subarray(from, end)) };
}

function tokenKind(first: number): TemplateMember['token'] {
  if (first === QUOTE) return 'string';
  return first === 45 || (first - 48) >>> 0 <= 9 ? 'number' : 'other';
}

export function sameTemplate(a: Template, b: Template): boolean {
  return (
    a.tail.equals(b.tail) &&
    a.members.length === b.members.length &&
    a.members.every((member, i) => {
      const other = b.members[i];
      return (
        other !== undefined &&
        member.field === other.field &&
        member.token === other.token &&
        member.literal.equals(other.literal)
      );
    })
  );
}

/**
 * Scans records [from, to) into the fields' columns from `firstRow` on.
 * @param slow  reads record `record` into row `row`; false when it gave no row.
 * @returns the number of rows, those before `firstRow` counted.
 */
export type TemplateScan = (
  bytes: Buffer,
  view: DataView,
  starts: Int32Array,
  lengths: Int32Array,
  from: number,
  to: number,
  firstRow: number,
  recordOf: Int32Array,
  slow: (record: number, row: number) => boolean,
) => number;

/** Generates the scanner of a template. Code names fields by number and literals by their bytes. */
export function compileTemplate(
  template: Template,
  fields: readonly JsonField[],
  walker: JsonWalker,
): TemplateScan | undefined {
  const found = new Set(template.members.map((member) => member.field));
  const absent = fields.flatMap((_, i) => (found.has(i) ? [] : [i]));
  if (absent.some((i) => fields[i]?.spec.notNull === true)) return undefined;
  const body: string[] = [];
  for (const member of template.members) {
    body.push(matchLiteral(member.literal));
    const field = fields[member.field];
    body.push(
      field === undefined ? skipValue(member.token) : readValue(field, member.field, member.token),
    );
  }
  body.push(matchLiteral(template.tail), 'if (p !== end) break fast;');
  for (const i of absent) body.push(`N${i}[row] = 1; h${i} = true;`);
  const wanted = fields.map((field, i) => declareArrays(field, i)).join('\n');
  const code = `
    return function scan(bytes, view, starts, lengths, from, to, firstRow, recordOf, slow) {
      const limit = bytes.length - ${SLACK_BYTES};
      ${wanted}
      let row = firstRow;
      for (let record = from; record < to; record++) {
        let p = starts[record];
        const end = p + lengths[record];
        walker.end = end;
        let q = 0, w = 0, c = 0, v = 0, x = 0, g = false;
        fast: {
          if (end > limit || end < p) break fast;
          ${body.join('\n          ')}
          recordOf[row] = record;
          row++;
          continue;
        }
        if (slow(record, row)) { recordOf[row] = record; row++; }
      }
      ${fields.map((_, i) => `if (h${i}) F[${i}].fill.anyNull = true;`).join('\n      ')}
      return row;
    };`;
  const build = new Function('F', 'walker', 'DecimalReader', code) as (
    fields: readonly JsonField[],
    walker: JsonWalker,
    decimals: typeof DecimalReader,
  ) => TemplateScan;
  return build(fields, walker, DecimalReader);
}

function declareArrays(field: JsonField, i: number): string {
  const common = `const J${i} = F[${i}], N${i} = J${i}.fill.nulls; let h${i} = false;`;
  const { kind } = field.spec.type;
  switch (kind) {
    case 'smallint':
    case 'integer':
    case 'boolean':
      return `${common} const V${i} = J${i}.fill.values;`;
    case 'double':
      return `${common} const V${i} = J${i}.fill.values, D${i} = new DecimalReader();`;
    case 'bigint':
      return `${common} const W${i} = J${i}.fill.words;`;
    case 'timestamp':
    case 'timestamptz':
      return `${common} const W${i} = J${i}.fill.words, T${i} = J${i}.timestamps;`;
    case 'numeric':
      return `${common} const W${i} = J${i}.fill.words, E${i} = J${i}.fill.scales, D${i} = new DecimalReader();`;
    case 'text':
    case 'varchar':
      return `${common} const S${i} = J${i}.fill.starts, L${i} = J${i}.fill.lengths;`;
    default:
      return common;
  }
}

/** Compares by words of four bytes; the last one overlaps the one before it. */
function matchLiteral(literal: Buffer): string {
  const { length } = literal;
  if (length === 0) return '';
  const tests: string[] = [`p + ${length} > end`];
  if (length < 4) {
    for (let i = 0; i < length; i++) tests.push(`bytes[p + ${i}] !== ${literal[i]}`);
  } else {
    for (let i = 0; i < length; i += 4) {
      const at = Math.min(i, length - 4);
      tests.push(`view.getInt32(p + ${at}, true) !== ${literal.readInt32LE(at)}`);
    }
  }
  return `if (${tests.join(' || ')}) break fast; p += ${length};`;
}

/**
 * High bits of the bytes of a word that are a quote, a backslash, a control character or not ASCII: additions to seven bits
 * set them for all others. Above a byte that is not ASCII carries make the bits unsure; the lowest one is sure.
 */
const ODD_BYTES = `~(((w ^ 0x22222222) + 0x7f7f7f7f) & ((w ^ 0x5c5c5c5c) + 0x7f7f7f7f) & (w + 0x60606060)) & 0x80808080`;

/** From an opening quote at p to the closing one; `odd` runs where an escape or a byte above 127 is met. */
function scanString(odd: string, store: string): string {
  return `
          if (bytes[p] !== 34) { ${odd} } else {
            q = p++;
            for (;;) {
              if (p >= end) break fast;
              w = view.getInt32(p, true);
              c = ${ODD_BYTES};
              if (c !== 0) break;
              p += 4;
              w = view.getInt32(p, true);
              c = ${ODD_BYTES};
              if (c !== 0) break;
              p += 4;
            }
            p += (31 - Math.clz32(c & -c)) >> 3;
            if (bytes[p] !== 34) { p = q; ${odd} } else { ${store} p++; }
          }`;
}

function skipValue(token: TemplateMember['token']): string {
  const general = 'p = walker.value(p); if (p < 0) break fast;';
  switch (token) {
    case 'string':
      return scanString(general, '');
    case 'number':
      return `
          q = p;
          if (bytes[p] === 45) p++;
          if (((c = bytes[p]) - 49) >>> 0 <= 8) {
            do c = bytes[++p]; while (p < end && (c - 48) >>> 0 <= 9);
          } else if (c === 48) c = bytes[++p];
          else c = 46;
          if (c === 46 || (c | 32) === 101 || (c - 48) >>> 0 <= 9) { p = q; ${general} }`;
    case 'other':
      return general;
    default:
      return assertNever(token);
  }
}

function readValue(field: JsonField, i: number, token: TemplateMember['token']): string {
  const { type, notNull } = field.spec;
  const general = `p = J${i}.readAt(walker, p, row); if (p < 0) break fast;`;
  const orNull = notNull
    ? general
    : `if (view.getInt32(p, true) === ${NULL}) { N${i}[row] = 1; h${i} = true; p += 4; } else { ${general} }`;
  switch (type.kind) {
    case 'text':
      return scanString(orNull, `S${i}[row] = q + 1; L${i}[row] = p - q - 1;`);
    case 'varchar': {
      const store = `S${i}[row] = q + 1; L${i}[row] = p - q - 1;`;
      if (type.length === undefined) return scanString(orNull, store);
      return scanString(orNull, `if (p - q - 1 > ${type.length}) break fast; ${store}`);
    }
    case 'smallint':
    case 'integer':
      return readInteger(
        orNull,
        `if (x > ${type.kind === 'integer' ? 2147483647 : 32767} || x < ${type.kind === 'integer' ? -2147483648 : -32768}) break fast; V${i}[row] = x;`,
        `V${i}[row] = v;`,
        type.kind === 'integer',
      );
    case 'bigint':
      return readInteger(
        orNull,
        `W${i}[2 * row] = x; W${i}[2 * row + 1] = Math.floor(x / 4294967296);`,
        `W${i}[2 * row] = v; W${i}[2 * row + 1] = v >> 31;`,
        true,
      );
    case 'timestamp':
    case 'timestamptz': {
      if (token === 'number') {
        const store = `W${i}[2 * row] = x; W${i}[2 * row + 1] = Math.floor(x / 4294967296);`;
        const scaled = `x *= 1000; if (x > 9007199254740991 || x < -9007199254740991) break fast; ${store}`;
        return readInteger(orNull, scaled, `x = v * 1000; ${store}`, true);
      }
      const unit = 10 ** (6 - (type.precision ?? 6));
      const exact = unit === 1 ? '' : `|| !Number.isInteger(x / ${unit})`;
      return `
          if (bytes[p] === 34 && p + 21 <= end) {
            x = T${i}.read(bytes, view, p + 1);
            if (x !== x ${exact}) { ${general} } else {
              p = T${i}.end;
              if (bytes[p] !== 34) break fast;
              p++;
              W${i}[2 * row] = x; W${i}[2 * row + 1] = Math.floor(x / 4294967296);
            }
          } else { ${orNull} }`;
    }
    case 'double':
      return `
          g = bytes[p] === 45;
          x = D${i}.read(bytes, p, end);
          if (x !== x) { ${orNull} } else { V${i}[row] = D${i}.double(x, g); p = D${i}.end; }`;
    case 'numeric': {
      const { precision } = type;
      // The scale of a numeric(p,s) is the column's: digits are appended, never rounded away here.
      const fit =
        precision === undefined
          ? `E${i}[row] = D${i}.scale;`
          : `if (D${i}.scale > ${type.scale ?? 0}) break fast;
             x *= ${JSON.stringify(Array.from({ length: 23 }, (_, k) => 10 ** k))}[${type.scale ?? 0} - D${i}.scale];
             if (!(Math.abs(x) < ${Math.min(10 ** precision, 2 ** 53)})) break fast;
             E${i}[row] = ${type.scale ?? 0};`;
      if (precision !== undefined && ((type.scale ?? 0) > 22 || (type.scale ?? 0) < 0))
        return general;
      return `
          x = D${i}.read(bytes, p, end);
          if (x !== x) { ${orNull} } else {
            ${fit}
            W${i}[2 * row] = x; W${i}[2 * row + 1] = Math.floor(x / 4294967296);
            p = D${i}.end;
          }`;
    }
    case 'boolean':
      return `
          w = view.getInt32(p, true);
          if (w === ${TRUE}) { V${i}[row] = 1; p += 4; }
          else if (bytes[p] === 102 && view.getInt32(p + 1, true) === ${ALSE}) { V${i}[row] = 0; p += 5; }
          else { ${orNull} }`;
    default:
      return orNull;
  }
}

/**
 * Up to nine digits are summed as 32-bit integers in v, up to DIGITS_MAX as a double in x. What
 * follows the digits is the next literal's business: `1.5` and `1e3` do not match it and take the second tier.
 */
function readInteger(
  general: string,
  storeLong: string,
  storeShort: string,
  long: boolean,
): string {
  return `
          g = bytes[p] === 45;
          q = g ? p + 1 : p;
          v = bytes[q] - 48;
          if (v >>> 0 > 9) { ${general} } else {
            p = q + 1;
            while (p < q + 9 && (c = bytes[p] - 48) >>> 0 <= 9) { v = (v * 10 + c) | 0; p++; }
            if (bytes[q] === 48 && p > q + 1) break fast;
            if (p === q + 9 && (c = bytes[p] - 48) >>> 0 <= 9) {
              ${
                long
                  ? `x = v;
              do { x = x * 10 + c; p++; } while ((c = bytes[p] - 48) >>> 0 <= 9 && p < q + ${DIGITS_MAX});
              if (c >>> 0 <= 9) break fast;
              if (g) x = 0 - x;
              ${storeLong}`
                  : 'break fast;'
              }
            } else {
              if (g) v = -v | 0;
              ${long ? storeShort : `x = v; ${storeLong}`}
            }
          }`;
}
