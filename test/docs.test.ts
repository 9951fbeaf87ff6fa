/**
 * Every example of the docs runs: ```sql blocks of a page, in order, on one server in memory. Comment lines right below a
 * statement that look like a psql table, or begin with ERROR, are what it prints.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Screen } from '../server/repl/screen.ts';
import { Shell } from '../server/repl/shell.ts';
import { splitStatements } from '../server/repl/split.ts';
import { serve } from './server/serve.ts';

const PAGES = ['README.md', 'docs/sql.md', 'docs/user-functions.md', 'docs/connectors.md'];
/** Statements that listen until somebody stops them. */
const LIVE_MS = 1_500;
const isLive = (sql: string): boolean => /^SUBSCRIBE\b|\bEMIT CHANGES$/i.test(sql);

interface Example {
  readonly sql: string;
  readonly line: number;
  /** Lines that it prints; undefined when the page does not show them. */
  readonly output: readonly string[] | undefined;
}

for (const page of PAGES) {
  describe(page, async () => {
    const text = readFileSync(new URL(`../${page}`, import.meta.url), 'utf8');
    const server = await serve();
    after(() => server.close());
    const prompt = new Prompt(server.url);
    const blocks = [...text.matchAll(/^```sql\n([\s\S]*?)^```/gm)];
    assert.ok(blocks.length > 0, `${page} has examples`);
    for (const block of blocks) {
      const firstLine = text.slice(0, block.index).split('\n').length + 1;
      for (const example of examplesOf(block[1] ?? '', firstLine)) {
        it(`line ${example.line}: ${example.sql.split('\n')[0]}`, () => check(example, prompt));
      }
    }
  });
}

function examplesOf(block: string, firstLine: number): Example[] {
  const lines = block.split('\n');
  const { parts, rest } = splitStatements(block, false);
  assert.equal(
    rest
      .trim()
      .replace(/^--.*$/gm, '')
      .trim(),
    '',
    'every statement ends with ;',
  );
  return parts.flatMap((part) => {
    if (part.kind !== 'statement') return [];
    const end = part.line - 1 + part.text.split('\n').length;
    const comment: string[] = [];
    for (let i = end; lines[i]?.startsWith('--') === true; i++) {
      comment.push((lines[i] ?? '').replace(/^-- ?/, '').trimEnd());
    }
    const isTable = comment.some((line) => /^-+(\+-+)*$/.test(line));
    const isShown = isTable || comment[0]?.startsWith('ERROR') === true;
    return [
      {
        sql: part.text,
        line: firstLine + part.line - 1,
        output: isShown ? comment : undefined,
      },
    ];
  });
}

/** One client for a page, so that its examples share a session; what it prints is kept for each example. */
class Prompt {
  printed = '';
  failed = '';
  readonly shell: Shell;

  constructor(url: string) {
    const screen: Screen = {
      isTerminal: false,
      write: (text) => {
        this.printed += text;
      },
      error: (text) => {
        this.failed += text;
      },
      size: () => ({ rows: 50, columns: 200 }),
    };
    this.shell = new Shell(new URL(url), screen);
  }
}

async function check({ sql, output }: Example, prompt: Prompt): Promise<void> {
  const { shell } = prompt;
  prompt.printed = '';
  prompt.failed = '';
  if (isLive(sql)) {
    const timer = setTimeout(() => shell.cancel(), LIVE_MS);
    await shell.run(sql);
    clearTimeout(timer);
    return;
  }
  const isOk = await shell.run(sql);
  const { printed, failed } = prompt;
  if (output?.[0]?.startsWith('ERROR') === true) {
    assert.ok(!isOk, 'it fails');
    const shown = failed.split('\n').map((line) => line.trimEnd());
    for (const line of output) assert.ok(shown.includes(line), `${line}\nis not in\n${failed}`);
    return;
  }
  assert.ok(isOk, failed);
  if (output === undefined) return;
  const shown = printed.split('\n').map((line) => line.trimEnd());
  assert.deepEqual(shown.slice(0, output.length), output);
  // What follows may only be the count of rows: no row is left out of the page.
  assert.match(shown.slice(output.length).join('\n').trim(), /^(\(\d+ rows?\))?$/);
}
