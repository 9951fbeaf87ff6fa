/** A case from start to end, and a finding of it as the smallest script that still shows it. */
import { type Judge, Subject } from '../differential/both-sides.ts';
import { emptyJudge, type Finding, type FuzzCase, type Outcome, Play } from './play.ts';
import { createTable } from './schema.ts';
import { script, shrink } from './shrink.ts';

export async function runCase(judge: Judge, whole: FuzzCase, pullEvery: number): Promise<Outcome> {
  await emptyJudge(judge);
  const subject = await Subject.open();
  try {
    return await new Play(judge, subject, pullEvery).run(whole);
  } finally {
    await subject.close();
  }
}

/** @returns SQL that shows the finding, and what then differs. */
export async function reduce(
  judge: Judge,
  whole: FuzzCase,
  { view, kind, detail }: Finding,
  triesMax: number,
): Promise<string> {
  let last = detail;
  const fails = async (candidate: FuzzCase): Promise<boolean> => {
    if (!(await isValid(judge, candidate))) return false;
    const { findings } = await runCase(judge, candidate, 1);
    const same = findings.find(
      (one) => one.view === view && one.kind === kind && sort(one.detail) === sort(detail),
    );
    if (same !== undefined) last = same.detail;
    return same !== undefined;
  };
  const small = await shrink(whole, view, fails, { triesMax });
  return `${script(small)}\n  ${last}`;
}

/** Different rows, different columns, or the SQLSTATE of a refusal. */
const sort = (detail: string): string =>
  detail.startsWith('PostgreSQL') ? detail.slice(0, 'PostgreSQL [['.length) : detail.slice(0, 5);

/** Whether PostgreSQL takes every query; far cheaper to learn than the rest, and rare among what the shrinker tries. */
async function isValid(judge: Judge, { tables, steps }: FuzzCase): Promise<boolean> {
  await emptyJudge(judge);
  const statements = [
    ...tables.map((table) => createTable(table, true)),
    ...steps.flatMap((step) =>
      step.kind === 'view' ? [`CREATE VIEW ${step.name} AS ${step.query}`] : [],
    ),
  ];
  for (const sql of statements) if ((await judge.run(sql)).kind === 'failed') return false;
  return true;
}
