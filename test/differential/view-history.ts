/** Random INSERTs, UPDATEs and DELETEs over three small tables; the same seed gives the same statements. */

export const TABLES: readonly string[] = [
  'CREATE TABLE a (id int PRIMARY KEY, k int, v int CHECK (v < 1000), s text, n numeric(6,2), t timestamp, o boolean)',
  'CREATE TABLE b (k int, v int, s text)',
  'CREATE TABLE c (id int PRIMARY KEY, k int, w bigint NOT NULL)',
];

const IDS = 12;
const domains = {
  k: ['0', '1', '2', '3', 'NULL'],
  v: ['-3', '0', '1', '2', '5', '40', 'NULL'],
  s: ["''", "'a'", "'ab'", "'ä€😀'", 'NULL'],
  n: ['1.50', '-2.25', '0', '9999.99', 'NULL'],
  t: [
    "'2024-01-01 00:00:00'",
    "'2024-01-01 00:00:01.5'",
    "'2024-01-01 00:00:03'",
    "'2024-01-01 00:01:00'",
    "'1969-12-31 23:59:59.999999'",
    'NULL',
  ],
  o: ['true', 'false', 'NULL'],
  w: ['0', '1', '9007199254740993', '-5'],
} as const;

type Domain = keyof typeof domains;

/** @returns `length` statements that PostgreSQL answers the same way in any order of its rows. */
export function historyOf(seed: number, length: number): readonly string[] {
  const random = generator(seed);
  return Array.from({ length }, () => statement(random));
}

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state are plenty here. */
export function generator(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function statement(random: (below: number) => number): string {
  const pick = (domain: Domain): string => {
    const values = domains[domain];
    return values[random(values.length)] ?? 'NULL';
  };
  const several = (max: number, one: () => string): string =>
    Array.from({ length: 1 + random(max) }, one).join(', ');
  const rowOfA = (): string =>
    `(${random(IDS)}, ${pick('k')}, ${pick('v')}, ${pick('s')}, ${pick('n')}, ${pick('t')}, ${pick('o')})`;
  const rowOfB = (): string => `(${pick('k')}, ${pick('v')}, ${pick('s')})`;
  const rowOfC = (): string => `(${random(IDS)}, ${pick('k')}, ${pick('w')})`;
  const where = (): string => {
    const tests = [
      `k = ${pick('k')}`,
      'k IS NULL',
      `v > ${pick('v')}`,
      `v = ${pick('v')}`,
      `s = ${pick('s')} OR v IS NULL`,
      `k IN (SELECT k FROM c WHERE w > 0)`,
    ];
    return tests[random(tests.length)] ?? 'false';
  };
  const inserts: readonly (() => string)[] = [
    () => `INSERT INTO a VALUES ${several(3, rowOfA)}`,
    () => `INSERT INTO a VALUES ${several(6, rowOfA)} ON CONFLICT DO NOTHING`,
    () => `INSERT INTO b VALUES ${several(6, rowOfB)}`,
    () => `INSERT INTO b VALUES ${several(6, rowOfB)}`,
    () => `INSERT INTO b SELECT k, v, s FROM a WHERE ${where()}`,
    () => `INSERT INTO c VALUES ${several(4, rowOfC)} ON CONFLICT (id) DO NOTHING`,
  ];
  const changes: readonly (() => string)[] = [
    () =>
      `INSERT INTO a VALUES ${rowOfA()} ON CONFLICT (id) DO UPDATE SET k = excluded.k, v = excluded.v`,
    () =>
      `INSERT INTO a VALUES ${rowOfA()} ON CONFLICT (id) DO UPDATE SET s = excluded.s, n = a.n, o = NOT a.o WHERE a.v IS NOT NULL`,
    () => `INSERT INTO c VALUES ${rowOfC()} ON CONFLICT (id) DO UPDATE SET k = excluded.k`,
    () => `UPDATE a SET v = ${pick('v')}, t = ${pick('t')} WHERE ${where()}`,
    () => `UPDATE a SET k = ${pick('k')}, o = NOT o WHERE id = ${random(IDS)}`,
    () => `UPDATE a SET v = v + 400 WHERE ${where()}`,
    () => `UPDATE a SET id = id + ${IDS} WHERE id = ${random(IDS)}`,
    () => `UPDATE b SET v = ${pick('v')} WHERE ${where()}`,
    () => `UPDATE b SET k = v, v = k WHERE ${where()}`,
    () => `UPDATE b SET s = ${pick('s')} FROM c WHERE c.k = b.k AND c.w = ${pick('w')}`,
    () => `UPDATE c SET w = w + 1 WHERE id < ${random(IDS)}`,
    () => `DELETE FROM a WHERE ${where()}`,
    () => `DELETE FROM a WHERE id IN (${random(IDS)}, ${random(IDS)}, ${random(IDS)})`,
    () => `DELETE FROM b WHERE ${where()}`,
    () => `DELETE FROM b USING c WHERE b.k = c.k AND b.v = ${pick('v')}`,
    () => `DELETE FROM c WHERE id > ${random(IDS)}`,
    () => (random(6) === 0 ? 'TRUNCATE b' : `INSERT INTO b VALUES ${several(3, rowOfB)}`),
  ];
  const kinds = random(2) === 0 ? inserts : changes;
  return kinds[random(kinds.length)]?.() ?? '';
}
