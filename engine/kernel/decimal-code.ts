/** Arithmetic on scaled decimals in fast code: doubles that hold integers, checked to stay below 2^53. */
import type { Code } from './code.ts';
import { exactPowersOfTen } from './json-number.ts';
import { guardSafe } from './value-code.ts';

/** Larger scales are cut by numeric's own limits, which the exact way knows. */
const FAST_SCALE_MAX = 1000;

export interface Decimal {
  readonly code: string;
  readonly scale: number | string;
}

/** Both values at the larger scale, and that scale. */
export function alignDecimals(
  code: Code,
  left: Decimal,
  right: Decimal,
): readonly [string, string, number | string] {
  if (left.scale === right.scale) return [left.code, right.code, left.scale];
  if (typeof left.scale === 'number' && typeof right.scale === 'number') {
    const scale = Math.max(left.scale, right.scale);
    return [raise(code, left, scale), raise(code, right, scale), scale];
  }
  const a = code.fresh();
  const b = code.fresh();
  const scale = code.fresh('s');
  const powers = code.constant(exactPowersOfTen);
  code.line(`let ${a} = ${left.code}, ${b} = ${right.code}, ${scale} = ${left.scale};`);
  // A difference beyond the table gives NaN, which no guard lets through.
  code.line(
    `if (${scale} < ${right.scale}) { ${scale} = ${right.scale}; ${a} *= ${powers}[${scale} - ${left.scale}]; }`,
  );
  code.line(`else if (${right.scale} < ${scale}) ${b} *= ${powers}[${scale} - ${right.scale}];`);
  guardSafe(code, a);
  guardSafe(code, b);
  return [a, b, scale];
}

function raise(code: Code, value: Decimal, scale: number): string {
  const by = scale - (value.scale as number);
  if (by === 0) return value.code;
  const raised = code.local(`${value.code} * ${exactPowersOfTen[by] ?? Number.NaN}`);
  guardSafe(code, raised);
  return raised;
}

export function addDecimals(code: Code, left: Decimal, right: Decimal, sign: '+' | '-'): Decimal {
  const [a, b, scale] = alignDecimals(code, left, right);
  const sum = code.local(`${a} ${sign} ${b}`);
  guardSafe(code, sum);
  return { code: sum, scale };
}

export function multiplyDecimals(code: Code, left: Decimal, right: Decimal): Decimal {
  const product = code.local(`${left.code} * ${right.code}`);
  guardSafe(code, product);
  const scale =
    typeof left.scale === 'number' && typeof right.scale === 'number'
      ? left.scale + right.scale
      : code.local(`${left.scale} + ${right.scale}`);
  code.line(`if (${scale} > ${FAST_SCALE_MAX}) break fast;`);
  return { code: product, scale };
}

/** Converts to numeric(precision, scale): half away from zero; an overflow is for the exact way. */
export function coerceDecimal(
  code: Code,
  value: Decimal,
  precision: number,
  scale: number,
): Decimal {
  const powers = code.constant(exactPowersOfTen);
  const result = code.fresh();
  // A negative scale rounds to tens and prints scale 0.
  if (scale < 0 || scale > precision) code.line('break fast;');
  code.line(`let ${result} = ${value.code};`);
  code.line(`if (${value.scale} < ${scale}) ${result} *= ${powers}[${scale} - ${value.scale}];`);
  code.block(`else if (${value.scale} > ${scale}) `, () => {
    const unit = code.local(`${powers}[${value.scale} - ${scale}]`);
    const whole = code.local(`Math.trunc(${result} / ${unit})`);
    const rest = code.local(`Math.abs(${result} - ${whole} * ${unit})`);
    code.line(
      `${result} = ${rest} * 2 >= ${unit} ? ${whole} + (${value.code} < 0 ? -1 : 1) : ${whole};`,
    );
  });
  guardSafe(code, result);
  code.line(`if (!(Math.abs(${result}) < ${10 ** Math.min(precision, 22)})) break fast;`);
  return { code: result, scale };
}
