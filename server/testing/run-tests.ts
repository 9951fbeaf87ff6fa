/** `millrace test DIR`: runs SQL test files, with no broker and no waiting. */
import { existsSync, watch } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadTests } from './load-tests.ts';
import { type ReporterName, reporters, type TestResult } from './report.ts';
import { runTest } from './run-test.ts';

export interface TestOptions {
  readonly reporter: ReporterName;
  /** File for the report; undefined = standard output. */
  readonly output: string | undefined;
  /** Runs only tests whose name holds this. */
  readonly only: string | undefined;
  /** Runs again when a file changes, until Ctrl-C. */
  readonly watch: boolean;
}

/** Changes that come together, as editors make them, are one. */
const WATCH_QUIET_MS = 100;

/** @returns the exit code: 1 when a test fails, 2 when there is none to run. */
export async function runTests(path: string, options: TestOptions): Promise<number> {
  if (!existsSync(path)) {
    process.stderr.write(`there is no file or directory ${path}\n`);
    return 2;
  }
  if (!options.watch) return runOnce(path, options);
  const changes = watch(path, { recursive: true });
  for (;;) {
    const changed = new Promise((resolve) => changes.once('change', resolve));
    await runOnce(path, options);
    process.stderr.write('waiting for changes, Ctrl-C ends\n');
    await changed;
    await sleep(WATCH_QUIET_MS);
  }
}

async function runOnce(path: string, options: TestOptions): Promise<number> {
  const reporter = reporters[options.reporter];
  const { only, output } = options;
  let report = '';
  const print = (text: string): void => {
    if (output === undefined) process.stdout.write(text);
    else report += text;
  };
  const all = await loadTests(path);
  const wanted = all.filter(
    ({ file, name }) => only === undefined || `${file} › ${name}`.includes(only),
  );
  const results: TestResult[] = [];
  for (const { file, name, test } of wanted) {
    const startedMs = performance.now();
    const failure = await runTest(test);
    results.push({ file, name, ms: performance.now() - startedMs, failure });
    print(reporter.one(results.at(-1) as TestResult, results.length));
  }
  print(reporter.end(results));
  if (output !== undefined) await writeFile(output, report);
  if (results.length === 0) {
    process.stderr.write(
      `there is no test in ${path}${only === undefined ? '' : ` with ${only}`}\n`,
    );
    return 2;
  }
  return results.some(({ failure }) => failure !== undefined) ? 1 : 0;
}
