/** SQL test files as tests, for `millrace test` and for other test runners. */
import { glob, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { runTest, type TestFailure } from './run-test.ts';
import { type FileTest, parseTestFile } from './test-file.ts';

export interface LoadedTest {
  /** The path of its file below the directory, or the file's own name. */
  readonly file: string;
  /** The file's when it holds one test that has no name. */
  readonly name: string;
  readonly test: FileTest;
}

/**
 * The tests of a file, or of all `.sql` files below a directory, in the order of their paths.
 * @throws Error when there is no such file.
 */
export async function loadTests(path: string): Promise<readonly LoadedTest[]> {
  const isDirectory = (await stat(path)).isDirectory();
  const files: string[] = [];
  if (!isDirectory) files.push('');
  else for await (const file of glob('**/*.sql', { cwd: path })) files.push(file);
  const tests: LoadedTest[] = [];
  for (const file of files.sort()) {
    const full = join(path, file);
    const shown = file === '' ? basename(path) : relative(path, full).replaceAll('\\', '/');
    for (const test of parseTestFile(await readFile(full, 'utf8'), shown)) {
      tests.push({ file: shown, name: test.name, test });
    }
  }
  return tests;
}

/** What a failed test throws: its message says where and what, as `millrace test` prints it. */
export class SqlTestFailure extends Error {
  readonly failure: TestFailure;

  constructor(file: string, failure: TestFailure) {
    super([`${file}:${failure.line}`, failure.statement, '', ...failure.lines].join('\n'));
    this.name = 'SqlTestFailure';
    this.failure = failure;
    // The place that counts is the one in the SQL file.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export interface SqlTest {
  readonly name: string;
  /** @throws SqlTestFailure */
  run(): Promise<void>;
}

/**
 * The tests of a file or directory, for any test runner:
 * `for (const one of await sqlTests('test/sql')) test(one.name, one.run);`
 */
export async function sqlTests(path: string): Promise<readonly SqlTest[]> {
  const loaded = await loadTests(path);
  return loaded.map(({ file, name, test }) => ({
    name: name === file ? file : `${file} › ${name}`,
    run: async () => {
      const failure = await runTest(test);
      if (failure !== undefined) throw new SqlTestFailure(file, failure);
    },
  }));
}
