/** Results of tests as text for people, as TAP 14 (testanything.org) and as JUnit's XML. */
import type { TestFailure } from './run-test.ts';

export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly ms: number;
  readonly failure: TestFailure | undefined;
}

export interface Reporter {
  /** Called after each test. @returns what to print now. */
  one(result: TestResult, number: number): string;
  /** @returns what to print at the end. */
  end(results: readonly TestResult[]): string;
}

const titleOf = ({ file, name }: TestResult): string =>
  name === file ? file : `${file} › ${name}`;

const placeOf = ({ file, failure }: TestResult): string => `${file}:${failure?.line ?? 1}`;

function countsOf(results: readonly TestResult[]): string {
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  return `${results.length - failed} passed, ${failed} failed`;
}

const readable: Reporter = {
  one(result) {
    const time = `${result.ms.toFixed(0)} ms`;
    if (result.failure === undefined) return `✔ ${titleOf(result)} (${time})\n`;
    const { statement, lines } = result.failure;
    const shown = [placeOf(result), ...statement.split('\n'), '', ...lines, ''];
    return `✖ ${titleOf(result)} (${time})\n${shown.map((line) => `    ${line}`.trimEnd()).join('\n')}\n`;
  },
  end: (results) => `${countsOf(results)}\n`,
};

const tap: Reporter = {
  one(result, number) {
    const head = number === 1 ? 'TAP version 14\n' : '';
    const title = titleOf(result).replaceAll('\\', '\\\\').replaceAll('#', '\\#');
    if (result.failure === undefined) return `${head}ok ${number} - ${title}\n`;
    const lines = result.failure.lines.map((line) => `    ${line}`).join('\n');
    const at = JSON.stringify(placeOf(result));
    return `${head}not ok ${number} - ${title}\n  ---\n  at: ${at}\n  message: |\n${lines}\n  ...\n`;
  },
  end: (results) => `1..${results.length}\n`,
};

const junit: Reporter = {
  one: () => '',
  end(results) {
    const files = Map.groupBy(results, ({ file }) => file);
    const suites = [...files].map(([file, tests]) => {
      const failed = tests.filter(({ failure }) => failure !== undefined).length;
      const attributes = `name="${xml(file)}" tests="${tests.length}" failures="${failed}"`;
      return `  <testsuite ${attributes}>\n${tests.map(junitCase).join('')}  </testsuite>\n`;
    });
    return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
  },
};

function junitCase(result: TestResult): string {
  const { file, name, ms, failure } = result;
  const attributes = `classname="${xml(file)}" name="${xml(name)}" time="${(ms / 1000).toFixed(3)}"`;
  if (failure === undefined) return `    <testcase ${attributes}/>\n`;
  const text = xml([placeOf(result), failure.statement, '', ...failure.lines].join('\n'));
  const message = xml(failure.lines[0] ?? '');
  return `    <testcase ${attributes}>\n      <failure message="${message}">${text}</failure>\n    </testcase>\n`;
}

/** Text within XML: its five marks, and without the control characters that XML 1.0 cannot hold. */
function xml(text: string): string {
  const marks: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&apos;',
  };
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\uffff\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}

export const reporters = { spec: readable, tap, junit } as const;

export type ReporterName = keyof typeof reporters;
