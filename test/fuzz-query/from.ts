/** Random FROM clauses: tables, queries, functions and their joins. */
import {
  type Column,
  type Context,
  isExactKind,
  type Kind,
  named,
  qualified,
  type Source,
  type Wish,
} from './context.ts';
import { condition, expression, leaf } from './expression.ts';

const JOIN_KINDS: readonly Kind[] = ['int', 'int', 'int', 'text', 'big', 'num', 'date'];

export function from(context: Context, wish: Wish): Source {
  const { dice } = context;
  if (wish.depth > 0 && dice.chance(8)) return sharedNames(context, wish);
  let left = item(context, wish);
  for (let joins = dice.pick([0, 0, 0, 1, 1, 2]); joins > 0 && context.relationsLeft > 0; joins--) {
    left = join(context, wish, left);
  }
  return left;
}

function item(context: Context, wish: Wish): Source {
  const { dice } = context;
  if (wish.depth > 0 && context.relationsLeft > 1 && dice.chance(28))
    return derived(context, wish, '');
  if (dice.chance(4)) return values(context);
  return relation(context);
}

function relation(context: Context): Source {
  context.relationsLeft--;
  const { dice, relations } = context;
  // What was defined last, a WITH item, is the likelier.
  const chosen = dice.chance(30)
    ? (relations.at(-1) ?? dice.pick(relations))
    : dice.pick(relations);
  const alias = context.name('t');
  return { sql: `${chosen.name} AS ${alias}`, columns: qualified(alias, chosen.columns) };
}

function derived(context: Context, wish: Wish, lateral: string): Source {
  const { sql, columns } = context.query(context, { depth: wish.depth - 1, outer: wish.outer });
  const alias = context.name('d');
  if (!context.dice.chance(25)) {
    return { sql: `${lateral}(${sql}) AS ${alias}`, columns: qualified(alias, columns) };
  }
  const names = columns.map(() => context.name('n'));
  return {
    sql: `${lateral}(${sql}) AS ${alias}(${names.join(', ')})`,
    columns: qualified(alias, named(names, columns)),
  };
}

function values(context: Context): Source {
  const { dice } = context;
  const kinds = dice.times(dice.between(1, 2), () => dice.pick<Kind>(['int', 'text']));
  const none = { own: [], outer: [] };
  const rows = dice.times(dice.between(1, 3), (row) => {
    const cells = kinds.map((kind) =>
      row > 0 && dice.chance(20) ? 'NULL' : leaf(context, none, kind),
    );
    return `(${cells.join(', ')})`;
  });
  const alias = context.name('v');
  const columns = kinds.map((kind): Column => {
    return { sql: `${alias}.${context.name('n')}`, kind, exact: isExactKind(kind), plain: true };
  });
  const names = columns.map(({ sql }) => sql.slice(alias.length + 1));
  return { sql: `(VALUES ${rows.join(', ')}) AS ${alias}(${names.join(', ')})`, columns };
}

function join(context: Context, wish: Wish, left: Source): Source {
  const { dice } = context;
  return dice.weighted([
    [60, () => joinOn(context, wish, left, item(context, wish))],
    [12, () => joinFunction(context, wish, left)],
    [wish.depth > 0 ? 14 : 0, () => joinLateral(context, wish, left)],
    [
      context.productsLeft > 0 ? 8 : 0,
      () => {
        context.productsLeft--;
        const right = item(context, wish);
        return both(left, dice.pick([' CROSS JOIN ', ', ']), right, '');
      },
    ],
  ]);
}

const both = (left: Source, word: string, right: Source, on: string): Source => ({
  sql: `${left.sql}${word}${right.sql}${on}`,
  columns: [...left.columns, ...right.columns],
});

function joinOn(context: Context, wish: Wish, left: Source, right: Source): Source {
  const { dice } = context;
  const shared = JOIN_KINDS.filter((kind) =>
    [left, right].every(({ columns }) => columns.some((column) => column.kind === kind)),
  );
  const one = ({ columns }: Source, kind: Kind): string =>
    dice.pick(columns.filter((column) => column.kind === kind)).sql;
  if (shared.length > 0 && dice.chance(22)) {
    const pairs = dice.times(dice.pick([1, 1, 2]), () => {
      const kind = dice.pick(shared);
      return `${one(left, kind)} = ${one(right, kind)}`;
    });
    return both(left, ' FULL JOIN ', right, ` ON ${pairs.join(' AND ')}`);
  }
  const scope = { own: [...left.columns, ...right.columns], outer: wish.outer };
  const tests: string[] = [];
  if (shared.length > 0 && (context.productsLeft <= 0 || dice.chance(80))) {
    for (let i = dice.pick([1, 1, 2]); i > 0; i--) {
      const kind = dice.pick(shared);
      const op = dice.pick(['=', '=', '=', '=', 'IS NOT DISTINCT FROM']);
      const lone = dice.chance(15)
        ? expression(context, { own: left.columns, outer: [] }, kind, 1)
        : one(left, kind);
      tests.push(`${lone} ${op} ${one(right, kind)}`);
    }
    if (dice.chance(30)) tests.push(expression(context, scope, 'bool', 1));
  } else {
    context.productsLeft--;
    tests.push(expression(context, scope, 'bool', 2));
  }
  if (dice.chance(7)) tests.push(condition(context, scope));
  const word = dice.pick([' JOIN ', ' LEFT JOIN ', ' LEFT JOIN ', ' RIGHT JOIN ', ' INNER JOIN ']);
  return both(left, word, right, ` ON ${dice.shuffled(tests).join(' AND ')}`);
}

function joinLateral(context: Context, wish: Wish, left: Source): Source {
  const outer = [...left.columns, ...wish.outer];
  const right = derived(context, { ...wish, outer }, 'LATERAL ');
  const { dice } = context;
  if (dice.chance(40)) return both(left, dice.pick([' CROSS JOIN ', ', ']), right, '');
  const scope = { own: [...left.columns, ...right.columns], outer: wish.outer };
  const on = dice.chance(50) ? 'true' : expression(context, scope, 'bool', 1);
  return both(left, dice.pick([' LEFT JOIN ', ' JOIN ']), right, ` ON ${on}`);
}

function joinFunction(context: Context, wish: Wish, left: Source): Source {
  const { dice } = context;
  const scope = { own: left.columns, outer: wish.outer };
  const one = (kind: Kind): string => expression(context, scope, kind, 1);
  const alias = context.name('f');
  const made = dice.pick<() => { sql: string; kind: Kind }>([
    () => ({ sql: `generate_series(0, least(${one('int')}, 2))`, kind: 'int' }),
    () => ({ sql: `unnest(${one('ints')})`, kind: 'int' }),
    () => ({ sql: `string_to_table(left(${one('text')}, 3), NULL)`, kind: 'text' }),
    () => ({
      sql: `jsonb_array_elements(jsonb_build_array(${one('int')}, ${one('text')}))`,
      kind: 'json',
    }),
  ])();
  const value: Column = { sql: context.name('n'), kind: made.kind, exact: true, plain: true };
  const place: Column = { sql: context.name('n'), kind: 'big', exact: true, plain: true };
  const columns = dice.chance(30) ? [value, place] : [value];
  const ordinality = columns.length > 1 ? ' WITH ORDINALITY' : '';
  const names = columns.map(({ sql }) => sql).join(', ');
  const right = {
    sql: `${made.sql}${ordinality} AS ${alias}(${names})`,
    columns: qualified(alias, columns),
  };
  if (dice.chance(35)) return both(left, ' LEFT JOIN ', right, ' ON true');
  return both(left, dice.pick([', ', ' CROSS JOIN LATERAL ']), right, '');
}

/** Two queries whose one common name is joined by: USING and NATURAL. */
function sharedNames(context: Context, wish: Wish): Source {
  const { dice } = context;
  const key = dice.pick<Kind>(['int', 'int', 'text', 'big', 'date']);
  const common = context.name('k');
  const side = (): Source => {
    const { sql, columns } = context.query(context, {
      depth: wish.depth - 1,
      outer: wish.outer,
      kinds: [key, dice.pick<Kind>(['int', 'text', 'num'])],
    });
    const alias = context.name('d');
    const names = [common, context.name('n')];
    const of = qualified(alias, named(names, columns));
    return { sql: `(${sql}) AS ${alias}(${names.join(', ')})`, columns: of };
  };
  const [left, right] = [side(), side()];
  const type = dice.pick(['', 'LEFT ', 'RIGHT ', 'FULL ']);
  const isNatural = dice.chance(40);
  const merged: Column = { sql: common, kind: key, exact: isExactKind(key), plain: true };
  return {
    sql: `${left.sql} ${isNatural ? 'NATURAL ' : ''}${type}JOIN ${right.sql}${isNatural ? '' : ` USING (${common})`}`,
    columns: [merged, ...left.columns, ...right.columns],
  };
}
