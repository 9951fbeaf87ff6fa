import type { SqlType } from '../../sql/base/type.ts';
import { comparator } from '../../sql/base/value.ts';
import type { Code } from './code.ts';
import { alignDecimals } from './decimal-code.ts';
import { datumCode, decimalCode, intCode, type Value } from './value-code.ts';

/** Kinds whose datums are equal exactly when === says so. */
const exactKinds: ReadonlySet<SqlType['kind']> = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'text',
  'varchar',
  'uuid',
  'enum',
]);

/** Bytes of a constant that are compared by words in the loop; longer ones by a call. */
const INLINE_BYTES_MAX = 32;

/** Emits the comparison of two values of one type, neither NULL; gives a local or parenthesised expression. */
export function equalityCode(
  code: Code,
  left: Value,
  right: Value,
  type: SqlType,
  fast: boolean,
): string {
  if (type.kind === 'text' || type.kind === 'varchar' || type.kind === 'uuid') {
    const direct = stringEquality(code, left, right);
    if (direct !== undefined) return direct;
  }
  if (fast && (left.form === 'int' || right.form === 'int')) {
    return code.local(`${intCode(code, left)} === ${intCode(code, right)}`);
  }
  if (fast && type.kind === 'numeric') {
    const [a, b] = alignDecimals(code, decimalCode(code, left), decimalCode(code, right));
    return code.local(`${a} === ${b}`);
  }
  const a = datumCode(code, left);
  const b = datumCode(code, right);
  if (exactKinds.has(type.kind)) return code.local(`${a} === ${b}`);
  if (type.kind === 'double' || type.kind === 'real') {
    return code.local(`${a} === ${b} || (${a} !== ${a} && ${b} !== ${b})`);
  }
  return code.local(`${code.constant(comparator(type))}(${a}, ${b}) === 0`);
}

/** Strings that lie in bytes are compared there. */
function stringEquality(code: Code, left: Value, right: Value): string | undefined {
  if (left.form === 'ref' && right.form === 'ref') {
    return code.local(`$sameBytes(${refArguments(left)}, ${refArguments(right)})`);
  }
  const [ref, other] = left.form === 'ref' ? [left, right] : [right, left];
  if (ref.form !== 'ref' || typeof other.constant !== 'string') return undefined;
  return code.local(constantEquality(code, ref, Buffer.from(other.constant)));
}

/** bytes, start, length of a reference. */
export function refArguments(ref: Value): string {
  const i = ref.code.slice(1);
  return `B${i}, S${i}[row], L${i}[row]`;
}

function constantEquality(code: Code, ref: Value, bytes: Buffer): string {
  const i = ref.code.slice(1);
  const { length } = bytes;
  const tests = [`L${i}[row] === ${length}`];
  if (length > INLINE_BYTES_MAX) {
    return `$sameBytes(${refArguments(ref)}, ${code.constant(bytes)}, 0, ${length})`;
  }
  if (length < 4) {
    for (let at = 0; at < length; at++) tests.push(`B${i}[S${i}[row] + ${at}] === ${bytes[at]}`);
  } else {
    for (let from = 0; from < length; from += 4) {
      const at = Math.min(from, length - 4);
      tests.push(`D${i}.getInt32(S${i}[row] + ${at}, true) === ${bytes.readInt32LE(at)}`);
    }
  }
  return tests.join(' && ');
}
