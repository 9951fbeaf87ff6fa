import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import { defaults, readConfig, type StartOptions } from './config.ts';
import { ConfigError } from './config-error.ts';
import { watchLifeline } from './lifeline.ts';
import type { TestOptions } from './testing/run-tests.ts';

/** Exit codes besides 0 and those of signals. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

const DEFAULT_URL = `http://${defaults.http}`;

/** Reads the command line and runs the command it names; sets the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  watchLifeline(process.env);
  const program = buildProgram();
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed the message and the usage; help and version are no failures.
      process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
      return;
    }
    if (error instanceof ConfigError) {
      process.stderr.write(`error: ${error.message}\n\n`);
      program.commands.find((command) => command.name() === 'start')?.outputHelp({ error: true });
      process.exitCode = EXIT_USAGE;
      return;
    }
    throw error;
  }
}

function buildProgram(): Command {
  const program = new Command('millrace')
    .description('A streaming SQL database in one process.')
    .version(packageVersion())
    .showHelpAfterError()
    .exitOverride();
  program
    .command('start')
    .description('start a server')
    .option('--http <host:port>', `HTTP and WebSocket address (default ${defaults.http})`)
    .option('--pg <host:port>', `PostgreSQL protocol address (default ${defaults.pg})`)
    .option('--data <dir>', `data directory, or :memory: (default ${defaults.data})`)
    .option('--kafka <host:port,…>', 'bootstrap servers; without them topics are kept inside')
    .option('--memory <size>', 'bound on the state of all views, as 2GB (default none)')
    .option('--log-level <level>', `trace, debug, info, warn, error, fatal, silent`)
    .addHelpText(
      'after',
      '\nEach option is also read from MILLRACE_HTTP, MILLRACE_PG, MILLRACE_DATA, MILLRACE_KAFKA,\n' +
        'MILLRACE_MEMORY, MILLRACE_LOG_LEVEL; limits from MILLRACE_…_MAX (docs/limits.md).',
    )
    .action(async (options: StartOptions) => {
      const config = readConfig(options, process.env);
      const { start } = await import('./start.ts');
      await start(config);
    });
  program
    .command('sql')
    .description('open a prompt on a running server')
    .argument('[url]', 'address of the server', process.env.MILLRACE_URL ?? DEFAULT_URL)
    .action(async (url: string) => {
      const { runRepl } = await import('./repl/repl.ts');
      process.exitCode = await runRepl(parseUrl(url));
    });
  program
    .command('run')
    .description('run a script; stops at the first error')
    .argument('<file>', 'file with SQL statements, - for standard input')
    .option('--url <url>', 'address of the server', process.env.MILLRACE_URL ?? DEFAULT_URL)
    .action(async (file: string, options: { readonly url: string }) => {
      const { runScript } = await import('./repl/script.ts');
      process.exitCode = await runScript(file, parseUrl(options.url));
    });
  program
    .command('test')
    .description('run SQL test files: a database and a clock of their own, no broker, no waiting')
    .argument('<path>', 'a directory with .sql files, or one file')
    .addOption(
      new Option('--reporter <name>', 'form of the report')
        .choices(['spec', 'tap', 'junit'])
        .default('spec'),
    )
    .option('--output <file>', 'write the report to a file')
    .option('--only <text>', 'run the tests whose name has this text')
    .option('--watch', 'run again when a file changes', false)
    .action(async (path: string, options: TestOptions) => {
      const { runTests } = await import('./testing/run-tests.ts');
      process.exitCode = await runTests(path, options);
    });
  program
    .command('backup')
    .description('copy everything a running server holds, as of one commit, into a tar file')
    .argument('<file>', 'file to write')
    .option('--url <url>', 'address of the server', process.env.MILLRACE_URL ?? DEFAULT_URL)
    .action(async (file: string, options: { readonly url: string }) => {
      const { runBackup } = await import('./repl/backup.ts');
      process.exitCode = await runBackup(file, parseUrl(options.url));
    });
  program
    .command('restore')
    .description('make a data directory from a backup, and check it')
    .argument('<file>', 'file that backup wrote')
    .argument('<dir>', 'data directory, missing or empty')
    .action(async (file: string, directory: string) => {
      const { runRestore } = await import('./restore.ts');
      process.exitCode = await runRestore(file, directory);
    });
  program
    .command('catalog')
    .description('what a running server has been told to make')
    .command('export')
    .description('print the statements that make all of it, without passwords')
    .option('--url <url>', 'address of the server', process.env.MILLRACE_URL ?? DEFAULT_URL)
    .option('--output <file>', 'write them to a file')
    .action(async (options: { readonly url: string; readonly output?: string }) => {
      const { exportCatalog } = await import('./repl/export-catalog.ts');
      process.exitCode = await exportCatalog(parseUrl(options.url), options.output);
    });
  program
    .command('check')
    .description('check a data directory that no server uses, to the last checksum')
    .argument('<dir>', 'data directory')
    .action(async (dir: string) => {
      const { runCheck } = await import('./check.ts');
      process.exitCode = await runCheck(dir);
    });
  return program;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text.includes('://') ? text : `http://${text}`)
    ? new URL(text.includes('://') ? text : `http://${text}`)
    : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError(`the address must be http://HOST:PORT, not "${text}"`);
  }
  return url;
}

/** Works from the sources (server/) and from the build (dist/server/). */
function packageVersion(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { version }: { version?: unknown } = require(path);
      if (typeof version === 'string') return version;
    } catch {
      // Not at this place; the other one has it.
    }
  }
  return 'unknown';
}
