/** Ranges against PostgreSQL: functions and operators over random ranges of every type, their texts, and what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { rangeSubtype } from '../../../sql/base/range.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import { zonedTextWriter } from '../../../sql/base/text-output.ts';
import { zoneByName } from '../../../sql/base/timezone.ts';
import { rangeNames, type SqlType } from '../../../sql/base/type.ts';
import { registry, resolvePolymorphic } from '../../../sql/function/builtin.ts';
import { types } from '../../../sql/function/define.ts';
import {
  agrees,
  assertNoDifferences,
  compareFunction,
  type Judge,
  openJudge,
  outcome,
  quote,
  runs,
} from './judge.ts';
import { boundTexts, literalTexts, rangeTexts } from './range-texts.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

const SAMPLES = runs * 4;
const ofTwo = [
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  '&&',
  '@>',
  '<@',
  '<<',
  '>>',
  '&<',
  '&>',
  '-|-',
  '+',
  '*',
  '-',
  'range_merge',
];
const ofOne = [
  'lower',
  'upper',
  'isempty',
  'lower_inc',
  'upper_inc',
  'lower_inf',
  'upper_inf',
  'to_jsonb',
  'to_json',
];

for (const name of rangeNames) {
  const range: SqlType = { kind: 'range', name };
  const element = rangeSubtype(name);
  const bounds = fc.constantFrom(...boundTexts[name]);

  test(`functions and operators of ${name} answer as PostgreSQL's`, async () => {
    const signatures: readonly (readonly [string, readonly SqlType[]])[] = [
      ...ofTwo.map((fn) => [fn, [range, range]] as const),
      ...ofOne.map((fn) => [fn, [range]] as const),
      ['@>', [range, element]],
      ['<@', [element, range]],
      ['concat', [range, types.text]],
      ['||', [types.text, range]],
    ];
    for (const [fn, args] of signatures) {
      const resolved = resolvePolymorphic(fn, args);
      assert.ok(resolved !== undefined, `${fn} of ${name}`);
      const values = Object.fromEntries(
        args.flatMap((type, i) => (type === element ? [[i, bounds]] : [])),
      );
      const parameters = resolved.variadic ? args : resolved.parameters;
      const samples = args.length === 1 ? runs : SAMPLES;
      assertNoDifferences(
        await compareFunction(judge, { ...resolved, parameters }, { samples, values }),
      );
    }
  });

  test(`constructors of ${name} answer as PostgreSQL's`, async () => {
    const flags = fc.constantFrom('[)', '[]', '(]', '()', '', '[', '[)]', ')(');
    const constructors = registry.scalars(name);
    assert.equal(constructors.length, 2);
    for (const fn of constructors) {
      const values = { 0: bounds, 1: bounds, 2: flags };
      assertNoDifferences(
        await compareFunction(judge, fn, { samples: SAMPLES, values, nullShare: 6 }),
      );
    }
  });

  test(`texts become ${name} or are refused as PostgreSQL does`, async () => {
    const texts = fc.sample(fc.oneof(literalTexts, rangeTexts(name)), SAMPLES * 2);
    const theirs = await judge.ask(texts.map((text) => `${quote(text)}::${name}`));
    const differences = texts.flatMap((text, i) => {
      const ours = outcome(() => fromText(text, range), range);
      const their = theirs[i] as string;
      const same = /^22(P02|000)/.test(ours) ? ours === their : agrees(ours, their);
      return same ? [] : [`${text}\n    judge ${their}\n    ours  ${ours}`];
    });
    assertNoDifferences(differences);
  });
}

test('instants in ranges are read and written in the zone of the session', async () => {
  const zone = zoneByName('Europe/Berlin');
  assert.ok(zone !== undefined);
  const range: SqlType = { kind: 'range', name: 'tstzrange' };
  const write = zonedTextWriter(range, zone);
  const texts = fc.sample(rangeTexts('tstzrange'), runs);
  await judge.query("SET timezone = 'Europe/Berlin'");
  const theirs = await judge.ask(texts.map((text) => `${quote(text)}::tstzrange`));
  await judge.query("SET timezone = 'UTC'");
  texts.forEach((text, i) => {
    const ours = outcome(() => write(fromText(text, range, undefined, zone)), types.text);
    assert.ok(agrees(ours, theirs[i] as string), `${text}: ${ours}, judge ${theirs[i]}`);
  });
});
