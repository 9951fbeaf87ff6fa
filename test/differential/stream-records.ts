/** Random JSON records of a stream, each with the row that it stands for, or undefined when it is none. */
import { generator } from './view-history.ts';

export const STREAM_COLUMNS =
  'id bigint, k int, s text, n numeric(6,2), t timestamp, o boolean, w bigint NOT NULL, j jsonb, x double precision';

export interface StreamRecord {
  readonly value: Buffer;
  /** PostgreSQL's VALUES row. */
  readonly row: string | undefined;
}

/** JSON text of a member and PostgreSQL's literal for it. */
type Cell = readonly [json: string, literal: string];

const cells: Readonly<Record<string, readonly Cell[]>> = {
  k: [
    ['0', '0'],
    ['1', '1'],
    ['"2"', '2'],
    ['3.0', '3'],
    ['1e1', '10'],
    ['null', 'NULL'],
    ['-0', '0'],
  ],
  s: [
    ['"a"', "'a'"],
    ['""', "''"],
    ['"\\u00e4\\ud83d\\ude00\\n\\"\\\\"', `E'ä😀\\n"\\\\'`],
    ['12.50', "'12.50'"],
    // Legal in JSON, but no text of PostgreSQL holds them.
    ['"x\\u0000\\ud83dy"', "'x\ufffd\ufffdy'"],
    ['true', "'true'"],
    ['{"b": 1, "a": [2]}', `'{"b": 1, "a": [2]}'`],
    ['null', 'NULL'],
  ],
  n: [
    ['1.5', '1.5'],
    ['"2.255"', '2.255'],
    ['-9999.99', '-9999.99'],
    ['1e-3', '0.001'],
    ['null', 'NULL'],
  ],
  t: [
    ['"2024-01-01T00:00:00"', "'2024-01-01'"],
    ['"2024-01-01 00:00:01.5"', "'2024-01-01 00:00:01.5'"],
    ['"2024-01-01T00:00:03.000001Z"', "'2024-01-01 00:00:03.000001'"],
    ['null', 'NULL'],
  ],
  o: [
    ['true', 'true'],
    ['false', 'false'],
    ['"yes"', 'true'],
    ['null', 'NULL'],
  ],
  w: [
    ['0', '0'],
    ['9007199254740993', '9007199254740993'],
    ['-5', '-5'],
  ],
  j: [
    ['{"b": 1.50, "a": [null, "x"]}', `'{"b": 1.50, "a": [null, "x"]}'`],
    ['[]', "'[]'"],
    ['"text"', `'"text"'`],
    ['null', 'NULL'],
  ],
  x: [
    ['0.5', '0.5'],
    ['1e300', '1e300'],
    ['"-Infinity"', "'-Infinity'"],
    ['null', 'NULL'],
  ],
};

const badCells: readonly (readonly [column: string, json: string])[] = [
  ['k', '"x"'],
  ['k', '1.5'],
  ['k', '2147483648'],
  ['k', 'true'],
  ['k', '{"a": 1}'],
  ['k', '[1]'],
  ['n', '10000'],
  ['n', '"abc"'],
  ['t', '"nope"'],
  ['t', '"2024-02-30"'],
  ['o', '"maybe"'],
  ['w', 'null'],
  ['w', '9223372036854775808'],
  ['x', '1e400'],
  ['x', '{}'],
];

const badRecords: readonly (string | Buffer)[] = [
  '{',
  'not json',
  '[1, 2]',
  '"text"',
  '7',
  '',
  '{"w": 1}}',
  '{"w": 1,}',
  "{'w': 1}",
  '{"w": 01}',
  '{"w": 1, "s": "\u0001"}',
  '{"w": 1, "s": "\\x"}',
  '{"w": 1 "s": "a"}',
  '{"w": 1, "j": "\\u0000"}',
  '{"w": 1, "j": ["\\ud83d"]}',
  '{"w": 1, "j": 1e200000}',
  '{"w": 1, "j": {"a": }}',
  Buffer.from([
    0x7b, 0x22, 0x77, 0x22, 0x3a, 0x31, 0x2c, 0x22, 0x73, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d,
  ]),
];

/** About a third of the records are bad ones. */
export function streamRecords(seed: number, count: number): readonly StreamRecord[] {
  const random = generator(seed);
  return Array.from({ length: count }, (_, id) => record(id, random));
}

function record(id: number, random: (below: number) => number): StreamRecord {
  const dice = random(10);
  if (dice === 0) {
    const bad = badRecords[random(badRecords.length)] ?? '';
    return { value: Buffer.from(bad), row: undefined };
  }
  const members: (readonly [name: string, json: string])[] = [['id', String(id)]];
  const literals = [String(id)];
  for (const [name, choices] of Object.entries(cells)) {
    const [json, literal] = choices[random(choices.length)] ?? ['null', 'NULL'];
    // A missing member is NULL; a name that differs in case only is the column's.
    const isMissing = json === 'null' && random(2) === 0;
    if (!isMissing)
      members.push([random(12) === 0 && dice !== 4 ? name.toUpperCase() : name, json]);
    literals.push(literal);
  }
  if (dice === 1) {
    const [name, json] = badCells[random(badCells.length)] ?? ['k', '"x"'];
    const rest = members.filter(([other]) => other.toLowerCase() !== name);
    return { value: written([...rest, [name, json]], random), row: undefined };
  }
  if (dice === 2) {
    const rest = members.filter(([name]) => name.toLowerCase() !== 'w');
    return { value: written(rest, random), row: undefined };
  }
  if (dice === 3) members.push(['unknown', '{"k": [1, {"w": "x"}]}']);
  // Of equal members the last one counts.
  if (dice === 4) members.unshift(['w', '77']);
  return { value: written(members, random, dice === 4), row: `(${literals.join(', ')})` };
}

function written(
  members: readonly (readonly [name: string, json: string])[],
  random: (below: number) => number,
  keepOrder = false,
): Buffer {
  const order = [...members];
  if (!keepOrder && random(3) === 0) order.reverse();
  const space = ['', ' ', '\n\t'][random(3)] ?? '';
  const text = order.map(([name, json]) => `${space}"${name}"${space}:${space}${json}${space}`);
  return Buffer.from(`${space}{${text.join(',')}}${space}`);
}
