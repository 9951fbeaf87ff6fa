import { createInterface, type Interface } from 'node:readline';
import { runCommand, runStatement } from './command.ts';
import { Completer } from './completion.ts';
import { HISTORY_LINES_MAX, historyPath, loadHistory, saveHistory } from './history.ts';
import { standardScreen } from './screen.ts';
import { reportFailure, runStandardInput } from './script.ts';
import { Shell } from './shell.ts';
import { type SplitState, splitStatements } from './split.ts';

/** `millrace sql [URL]`. @returns the exit code. */
export async function runRepl(url: URL): Promise<number> {
  const shell = new Shell(url, standardScreen());
  return process.stdin.isTTY === true
    ? await new Prompt(shell).run()
    : await runStandardInput(shell);
}

const prompts: Readonly<Record<SplitState, string>> = {
  empty: 'millrace=> ',
  statement: 'millrace-> ',
  quote: "millrace'> ",
  identifier: 'millrace"> ',
  dollar: 'millrace$> ',
  comment: 'millrace*> ',
  parenthesis: 'millrace(> ',
  copy: '>> ',
};

/** The prompt: lines in, statements out, one at a time. */
class Prompt {
  readonly #shell: Shell;
  readonly #completer: Completer;
  readonly #lines: Interface;
  readonly #historyPath = historyPath(process.env);
  /** The array that readline keeps, newest first. */
  #history: string[];
  /** The statement typed so far, whole lines. */
  #buffer = '';
  #bufferLines = 0;
  #last = '';
  readonly #queue: string[] = [];
  #working = false;
  readonly #closed = Promise.withResolvers<number>();
  #exitCode = 0;

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#completer = new Completer(shell);
    this.#history = loadHistory(this.#historyPath);
    this.#lines = createInterface({
      input: process.stdin,
      output: process.stdout,
      history: this.#history,
      historySize: HISTORY_LINES_MAX,
      removeHistoryDuplicates: true,
      prompt: prompts.empty,
      completer: (
        line: string,
        done: (error: Error | null, result: [string[], string]) => void,
      ) => {
        this.#completer.complete(line, this.#buffer).then(
          (result) => done(null, result),
          (error: unknown) =>
            done(error instanceof Error ? error : new Error(String(error)), [[], line]),
        );
      },
    });
  }

  async run(): Promise<number> {
    this.#lines.on('line', (line) => {
      this.#queue.push(line);
      this.#work().catch((error: unknown) => this.#fail(error));
    });
    this.#lines.on('history', (history) => {
      this.#history = history;
    });
    this.#lines.on('SIGINT', () => this.#interrupt());
    this.#lines.on('close', () => this.#leave());
    this.#shell.screen.write('Millrace. Type \\? for help, \\q to leave.\n');
    await this.#greet();
    this.#lines.prompt();
    return await this.#closed.promise;
  }

  /** Says at once when there is no server, rather than at the first statement. */
  async #greet(): Promise<void> {
    try {
      await this.#shell.fetch('SHOW ALL');
    } catch (error) {
      reportFailure(error, this.#shell);
    }
  }

  /** Ctrl-C: ends what runs, else forgets what was typed. */
  #interrupt(): void {
    if (this.#shell.running) {
      this.#shell.cancel();
      return;
    }
    this.#buffer = '';
    this.#bufferLines = 0;
    this.#shell.screen.write('^C\n');
    // Both sides of the cursor.
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
    this.#lines.setPrompt(prompts.empty);
    this.#lines.prompt();
  }

  #leave(): void {
    saveHistory(this.#historyPath, this.#history);
    this.#shell.cancel();
    this.#shell.screen.write('\n');
    this.#closed.resolve(this.#exitCode);
  }

  #fail(error: unknown): void {
    this.#closed.reject(error);
  }

  /** Takes typed lines one after the other, also those that came while a statement ran. */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let line = this.#queue.shift(); line !== undefined; line = this.#queue.shift()) {
        if (await this.#take(line)) {
          this.#lines.close();
          return;
        }
      }
    } finally {
      this.#working = false;
    }
    this.#lines.prompt();
  }

  /** @returns true when the line says to leave. */
  async #take(line: string): Promise<boolean> {
    if (this.#buffer === '' && /^\s*(exit|quit)\s*;?\s*$/i.test(line)) return true;
    this.#buffer += this.#buffer === '' ? line : `\n${line}`;
    this.#bufferLines++;
    const { parts, rest, state } = splitStatements(this.#buffer, true);
    if (parts.length > 0) {
      this.#joinHistory();
      this.#bufferLines = rest === '' ? 0 : 1;
    }
    this.#buffer = rest;
    try {
      for (const part of parts) {
        if (part.kind === 'statement') {
          this.#last = part.text;
          await runStatement(this.#shell, part);
          continue;
        }
        const statement = part.pending === '' ? this.#last : part.pending;
        const outcome = await runCommand({ shell: this.#shell, statement, depth: 0 }, part.text);
        if (outcome.quit) return true;
        if (outcome.buffer === 'keep') this.#buffer = part.pending + this.#buffer;
        else this.#last = statement;
      }
    } catch (error) {
      // The server is gone; the prompt stays, and the next statement tries again.
      reportFailure(error, this.#shell);
    }
    if (parts.length > 0) {
      this.#completer.forget();
      saveHistory(this.#historyPath, this.#history);
    }
    this.#lines.setPrompt(prompts[this.#buffer === rest ? state : 'statement']);
    return false;
  }

  /** A statement of several lines becomes one line of history, so that it comes back whole. */
  #joinHistory(): void {
    const count = this.#bufferLines;
    if (count < 2 || this.#buffer.includes('--')) return;
    const lines = this.#history.slice(0, count).reverse();
    if (lines.join('\n') !== this.#buffer) return;
    this.#history.splice(0, count, lines.map((line) => line.trim()).join(' '));
  }
}
