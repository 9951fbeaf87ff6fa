/**
 * Bound expressions to JavaScript statements that leave the value in a local. NULLs follow SQL's three-valued logic;
 * AND, OR, CASE and COALESCE evaluate no more than they need, as PostgreSQL does.
 */
import { assert, assertNever } from '../../sql/base/assert.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import type { ScalarFunction } from '../../sql/function/scalar-function.ts';
import { physicalOf } from '../delta/column.ts';
import type { Code } from './code.ts';
import type { ColumnReader } from './column-code.ts';
import { equalityCode } from './equality-code.ts';
import { type FastResult, fastCall, type Generator } from './fast-call.ts';
import { literalSet } from './literal-set.ts';
import {
  anyNull,
  datumCode,
  datumValue,
  decimalCode,
  defaultCode,
  intCode,
  literalValue,
  nullableDatumCode,
  nullValue,
  type Value,
} from './value-code.ts';

type Of<K extends BoundExpr['kind']> = Extract<BoundExpr, { readonly kind: K }>;

export class ExpressionCode implements Generator {
  readonly code: Code;
  readonly fast: boolean;
  readonly #columns: ColumnReader;
  /** Values of the `let`s around, by their ids. */
  readonly #lets = new Map<number, Value>();

  constructor(code: Code, columns: ColumnReader, fast: boolean) {
    this.code = code;
    this.#columns = columns;
    this.fast = fast;
  }

  /** Emits what computes the expression for the current row. */
  value(expression: BoundExpr): Value {
    switch (expression.kind) {
      case 'literal':
        return literalValue(this.code, expression.value, expression.type, this.fast);
      case 'column':
        return this.#columns.read(this.code, expression.index, expression.type);
      case 'call':
        return this.#call(expression.fn, expression.args, expression.type);
      case 'cast':
        return this.#cast(expression);
      case 'and':
      case 'or':
        return this.#logic(expression);
      case 'not': {
        const operand = this.value(expression.operand);
        return datumValue(this.code.local(`!${operand.code}`), operand.nul);
      }
      case 'is-null':
        return this.#isNull(expression);
      case 'is-truth':
        return this.#isTruth(expression);
      case 'is-distinct':
        return this.#isDistinct(expression);
      case 'case':
        return this.#case(expression);
      case 'coalesce':
        return this.#coalesce(expression);
      case 'in-list':
        return this.#inList(expression);
      case 'let':
        return this.#let(expression);
      case 'let-value': {
        const value = this.#lets.get(expression.id);
        assert(value !== undefined, 'a name stands inside of its let');
        return value;
      }
      case 'array':
      case 'row': {
        const items = expression.items.map((item) =>
          nullableDatumCode(this.code, this.value(item)),
        );
        return datumValue(this.code.local(`[${items.join(', ')}]`));
      }
      case 'field':
        return this.#field(expression);
      case 'parameter':
      case 'outer-column':
      case 'subquery':
        throw new Error(`assertion failed: a ${expression.kind} reached code generation`);
      default:
        return assertNever(expression);
    }
  }

  /**
   * Emits `otherwise`, a jump, for rows where a WHERE is not true. PostgreSQL takes its conjuncts one by one and stops at
   * the first that is not true; inside an expression AND goes on behind a NULL, where an error may wait.
   */
  filter(condition: BoundExpr, otherwise: string): void {
    if (condition.kind !== 'and') this.branch(condition, otherwise);
    else for (const arg of condition.args) this.filter(arg, otherwise);
  }

  /** Emits `otherwise`, a jump, for rows where the condition is not true. */
  branch(condition: BoundExpr, otherwise: string): void {
    const { code } = this;
    if (condition.kind === 'or') {
      const label = code.fresh('or');
      code.block(`${label}: `, () => {
        condition.args.forEach((arg, i) => {
          if (i === condition.args.length - 1) {
            this.branch(arg, otherwise);
            return;
          }
          const next = code.fresh('or');
          code.block(`${next}: `, () => {
            this.branch(arg, `break ${next};`);
            code.line(`break ${label};`);
          });
        });
      });
      return;
    }
    const value = this.value(condition);
    if (value.nul === 'true') code.line(otherwise);
    else if (value.nul === 'false') code.line(`if (!${value.code}) ${otherwise}`);
    else code.line(`if (${value.nul} || !${value.code}) ${otherwise}`);
  }

  /**
   * A value that is NULL where any argument is, computed by `compute` elsewhere.
   * @param compute  emits code where no argument is NULL; its result says whether it may still give NULL.
   */
  strict(
    args: readonly Value[],
    type: SqlType,
    form: Value['form'],
    compute: () => FastResult,
  ): Value {
    const { code } = this;
    const nul = anyNull(args);
    if (nul === 'true') return nullValue;
    const target = { nul: code.fresh('n'), code: code.fresh(), scale: code.fresh('s') };
    if (nul === 'false') {
      const result = compute();
      const value = code.local(result.code);
      const isNull = result.mayBeNull === true ? code.local(`${value} === null`) : 'false';
      return { nul: isNull, form, code: value, scale: result.scale ?? 0, constant: undefined };
    }
    code.line(
      `let ${target.nul} = ${nul}, ${target.code} = ${defaultCode(type, form)}, ${target.scale} = 0;`,
    );
    let scale: number | string = 0;
    code.block(`if (!${target.nul}) `, () => {
      const result = compute();
      code.line(`${target.code} = ${result.code};`);
      if (result.mayBeNull === true) code.line(`${target.nul} = ${target.code} === null;`);
      scale = result.scale ?? 0;
      // A scale that is known now need not live in a local.
      if (typeof scale === 'string') code.line(`${target.scale} = ${scale};`);
    });
    return {
      nul: target.nul,
      form,
      code: target.code,
      scale: typeof scale === 'string' ? target.scale : scale,
      constant: undefined,
    };
  }

  #call(fn: ScalarFunction, args: readonly BoundExpr[], type: SqlType): Value {
    if (this.fast) {
      const fast = fastCall(this, fn, args, type);
      if (fast !== undefined) return fast;
    }
    const { code } = this;
    const values = args.map((arg) => this.value(arg));
    if (fn.strict === false) {
      const datums = values.map((value) => nullableDatumCode(code, value));
      const result = code.local(`${code.constant(fn.evaluate)}(${datums.join(', ')})`);
      return datumValue(result, code.local(`${result} === null`));
    }
    return this.strict(values, type, 'datum', () => {
      const datums = values.map((value) => datumCode(code, value));
      const { inline } = fn;
      if (inline !== undefined) return { code: inline(datums) };
      return { code: `${code.constant(fn.evaluate)}(${datums.join(', ')})`, mayBeNull: true };
    });
  }

  #cast(expression: Of<'cast'>): Value {
    const { fn, operand, type } = expression;
    if (fn === undefined) return this.value(operand);
    if (!expression.try) return this.#call(fn, [operand], type);
    const { code } = this;
    const value = this.value(operand);
    return this.strict([value], type, 'datum', () => ({
      code: `$try(${code.constant(fn.evaluate)}, ${datumCode(code, value)})`,
      mayBeNull: true,
    }));
  }

  /** AND stops at the first false, OR at the first true; a NULL on the way is the answer if nothing stops. */
  #logic(expression: Of<'and' | 'or'>): Value {
    const { code } = this;
    const stop = expression.kind === 'or';
    const result = code.fresh();
    const nul = code.fresh('n');
    const label = code.fresh('logic');
    let mayBeNull = false;
    code.line(`let ${result} = ${!stop}, ${nul} = false;`);
    code.block(`${label}: `, () => {
      for (const arg of expression.args) {
        const value = this.value(arg);
        const stops = stop ? value.code : `!${value.code}`;
        if (value.nul === 'true') {
          mayBeNull = true;
          code.line(`${nul} = true;`);
          continue;
        }
        const known = value.nul === 'false' ? stops : `!(${value.nul}) && ${stops}`;
        code.line(`if (${known}) { ${result} = ${stop}; ${nul} = false; break ${label}; }`);
        if (value.nul !== 'false') {
          mayBeNull = true;
          code.line(`if (${value.nul}) ${nul} = true;`);
        }
      }
    });
    return datumValue(result, mayBeNull ? nul : 'false');
  }

  #isNull(expression: Of<'is-null'>): Value {
    const operand = this.value(expression.operand);
    const { negated } = expression;
    if (operand.nul === 'true' || operand.nul === 'false') {
      return datumValue(String((operand.nul === 'true') !== negated));
    }
    return datumValue(this.code.local(negated ? `!(${operand.nul})` : operand.nul));
  }

  #isTruth(expression: Of<'is-truth'>): Value {
    const { code } = this;
    const operand = this.value(expression.operand);
    const holds = expression.value ? operand.code : `!${operand.code}`;
    const known = operand.nul === 'false' ? holds : `!(${operand.nul}) && ${holds}`;
    if (operand.nul === 'true') return datumValue(String(expression.negated));
    return datumValue(code.local(expression.negated ? `!(${known})` : known));
  }

  #isDistinct(expression: Of<'is-distinct'>): Value {
    const { code } = this;
    const left = this.value(expression.left);
    const right = this.value(expression.right);
    const distinct = code.fresh();
    code.line(`let ${distinct} = (${left.nul}) !== (${right.nul});`);
    if (left.nul !== 'true' && right.nul !== 'true') {
      code.block(`if (!(${left.nul}) && !(${right.nul})) `, () => {
        code.line(`${distinct} = !${this.equality(left, right, expression.left.type)};`);
      });
    }
    return datumValue(expression.negated ? code.local(`!${distinct}`) : distinct);
  }

  /** A local that is true where two values that are not NULL are equal. */
  equality(left: Value, right: Value, type: SqlType): string {
    return equalityCode(this.code, left, right, type, this.fast);
  }

  #case(expression: Of<'case'>): Value {
    const { code } = this;
    const { type } = expression;
    const target = this.#target(type);
    const label = code.fresh('case');
    code.block(`${label}: `, () => {
      for (const { when, then } of expression.whens) {
        const next = code.fresh('when');
        code.block(`${next}: `, () => {
          this.branch(when, `break ${next};`);
          this.#assign(target, this.value(then), type);
          code.line(`break ${label};`);
        });
      }
      const otherwise = expression.otherwise;
      if (otherwise === undefined) code.line(`${target.nul} = true;`);
      else this.#assign(target, this.value(otherwise), type);
    });
    return target;
  }

  #coalesce(expression: Of<'coalesce'>): Value {
    const { code } = this;
    const { type } = expression;
    const target = this.#target(type);
    const label = code.fresh('coalesce');
    code.block(`${label}: `, () => {
      for (const arg of expression.args) {
        const value = this.value(arg);
        if (value.nul === 'true') continue;
        if (value.nul === 'false') {
          this.#assign(target, value, type);
          code.line(`break ${label};`);
          return;
        }
        code.block(`if (!(${value.nul})) `, () => {
          this.#assign(target, { ...value, nul: 'false' }, type);
          code.line(`break ${label};`);
        });
      }
      code.line(`${target.nul} = true;`);
    });
    return target;
  }

  /** Locals for a value that several branches may give, in the form that all of them can have. */
  #target(type: SqlType): Value {
    const { code } = this;
    const physical = physicalOf(type);
    const form = !this.fast
      ? 'datum'
      : physical === 'i64'
        ? 'int'
        : physical === 'num'
          ? 'decimal'
          : 'datum';
    const target: Value = {
      nul: code.fresh('n'),
      form,
      code: code.fresh(),
      scale: form === 'decimal' ? code.fresh('s') : 0,
      constant: undefined,
    };
    code.line(`let ${target.nul} = false, ${target.code} = ${defaultCode(type, form)};`);
    if (form === 'decimal') code.line(`let ${target.scale} = 0;`);
    return target;
  }

  #assign(target: Value, value: Value, type: SqlType): void {
    const { code } = this;
    if (value.nul === 'true') {
      code.line(`${target.nul} = true;`);
      return;
    }
    const store = (): void => {
      if (target.form === 'int') {
        code.line(`${target.code} = ${intCode(code, value)};`);
      } else if (target.form === 'decimal') {
        const decimal = decimalCode(code, value);
        code.line(`${target.code} = ${decimal.code}; ${target.scale} = ${decimal.scale};`);
      } else {
        code.line(`${target.code} = ${datumCode(code, value)};`);
      }
    };
    if (value.nul === 'false') {
      store();
      return;
    }
    code.line(`${target.nul} = ${value.nul};`);
    // A value that is NULL keeps the local's own kind of default.
    code.block(`if (!${target.nul}) `, store);
    code.line(`else ${target.code} = ${defaultCode(type, target.form)};`);
  }

  /** The value is in locals already, so that its name costs nothing. */
  #let({ id, value, body }: Of<'let'>): Value {
    const outer = this.#lets.get(id);
    const named = this.value(value);
    this.#lets.set(id, named);
    const result = this.value(body);
    if (outer === undefined) this.#lets.delete(id);
    else this.#lets.set(id, outer);
    return result;
  }

  #inList(expression: Of<'in-list'>): Value {
    const { code } = this;
    const { operand, items, negated } = expression;
    const value = this.value(operand);
    const { type } = operand;
    const literals = literalSet(items, type, this.fast);
    if (literals !== undefined) {
      return this.strict([value], { kind: 'boolean' }, 'datum', () => {
        const item = literals.integers ? intCode(code, value) : datumCode(code, value);
        const found = `${code.constant(literals.set)}.has(${item})`;
        if (!literals.withNull) return { code: negated ? `!${found}` : found };
        // An item that is NULL might have been the one, so that nothing is known unless another one was.
        return { code: `${found} ? ${!negated} : null`, mayBeNull: true };
      });
    }
    const label = code.fresh('list');
    const found = code.fresh();
    const nul = code.fresh('n');
    code.line(`let ${found} = false, ${nul} = ${value.nul};`);
    code.block(`${label}: if (!${nul}) `, () => {
      for (const item of items) {
        const candidate = this.value(item);
        if (candidate.nul === 'true') {
          code.line(`${nul} = true;`);
          continue;
        }
        const compare = (): void => {
          const equal = this.equality(value, candidate, type);
          code.line(`if (${equal}) { ${found} = true; ${nul} = false; break ${label}; }`);
        };
        if (candidate.nul === 'false') code.block('', compare);
        else {
          code.block(`if (!(${candidate.nul})) `, compare);
          code.line(`else ${nul} = true;`);
        }
      }
    });
    return datumValue(negated ? code.local(`!${found}`) : found, nul);
  }

  #field(expression: Of<'field'>): Value {
    const operand = this.value(expression.operand);
    assert(operand.form === 'datum', 'rows are datums');
    return this.strict([operand], expression.type, 'datum', () => ({
      code: `(${operand.code}[${expression.index}] ?? null)`,
      mayBeNull: true,
    }));
  }
}
