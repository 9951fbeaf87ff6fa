import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type Served, serve } from '../serve.ts';

const main = join(import.meta.dirname, '../../../server/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'millrace-prompt-'));
const WAIT_MS = 15_000;
const CONTROL_C = '\u0003';
const CONTROL_D = '\u0004';

/** The prompt in a pseudo-terminal that util-linux's `script` makes. */
class Terminal {
  readonly #child: ChildProcess;
  #screen = '';
  #wake: (() => void) | undefined;
  readonly exit: Promise<number | null>;

  constructor(url: string) {
    const command = `stty rows 30 cols 100; exec ${process.execPath} ${main} sql ${url}`;
    this.#child = spawn('script', ['-qfec', command, '/dev/null'], {
      env: { ...process.env, XDG_STATE_HOME: folder, TERM: 'xterm', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (data) => {
      this.#screen += String(data);
      this.#wake?.();
    });
    this.exit = new Promise((resolve) => this.#child.on('close', resolve));
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** What was printed up to and with a match; it is taken off. */
  async see(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const text = stripVTControlCharacters(this.#screen).replaceAll('\r', '');
      const match = pattern.exec(text);
      if (match !== null) {
        this.#screen = text.slice(match.index + match[0].length);
        return text.slice(0, match.index + match[0].length);
      }
      const left = deadline - performance.now();
      if (left <= 0) assert.fail(`${pattern} did not appear in:\n${text}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, Math.min(left, 200));
      });
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

let server: Served;
let terminal: Terminal;
const hasScript = spawnSync('script', ['--version']).status === 0;

before(async () => {
  if (!hasScript) return;
  server = await serve();
  await server.sql(`
    CREATE TABLE fruit (id int PRIMARY KEY, title text, weight numeric);
    CREATE MATERIALIZED VIEW by_title AS SELECT title, count(*) AS n FROM fruit GROUP BY title;
    INSERT INTO fruit VALUES (1, 'apple', 1.50), (2, 'pear', NULL); FLUSH`);
});
after(async () => {
  if (hasScript) await server.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => terminal.kill());

const begin = async (): Promise<void> => {
  terminal = new Terminal(server.url);
  await terminal.see(/millrace=> /);
};

describe('the prompt in a terminal', { skip: !hasScript }, () => {
  it('runs statements over several lines and prints tables', async () => {
    await begin();
    terminal.type('select id, title, weight\n');
    await terminal.see(/millrace-> /);
    terminal.type('from fruit order by id;\n');
    const shown = await terminal.see(/\(2 rows\)/);
    assert.match(
      shown,
      / id \| title \| weight \n----\+-------\+--------\n {2}1 \| apple \| {3}1\.50\n {2}2 \| pear {2}\| *\n/,
    );
    terminal.type("select 'open\n");
    await terminal.see(/millrace'> /);
    terminal.type(CONTROL_C);
    await terminal.see(/millrace=> /);
    terminal.type('select nope;\n');
    await terminal.see(/ERROR: {2}column "nope" does not exist\nLINE 1: select nope\n {15}\^/);
    terminal.type(CONTROL_D);
    assert.equal(await terminal.exit, 0);
  });

  it('keeps history between sessions, a statement of several lines as one', async () => {
    await begin();
    terminal.type('select\n 42 as answer;\n');
    await terminal.see(/42\n\(1 row\)/);
    terminal.type('\\q\n');
    await terminal.exit;
    assert.match(
      readFileSync(join(folder, 'millrace', 'history'), 'utf8'),
      /^select 42 as answer;$/m,
    );
    await begin();
    terminal.type('\u001b[A\u001b[A\n');
    await terminal.see(/42\n\(1 row\)/);
  });

  it('completes keywords, relations and columns', async () => {
    await begin();
    terminal.type('selec\t');
    await terminal.see(/select $/);
    terminal.type('* from by_\t');
    await terminal.see(/by_title $/);
    terminal.type('where tit\t');
    await terminal.see(/where title $/);
    terminal.type("= 'pear';\n");
    await terminal.see(/ pear {2}\| 1\n|pear +\| 1/);
    terminal.type('\\tim\t');
    await terminal.see(/\\timing $/);
    terminal.type('\n');
    await terminal.see(/Timing is on\./);
    terminal.type('select 1;\n');
    await terminal.see(/Time: \d+\.\d{3} ms/);
  });

  it('lists, describes, expands, sets and includes', async () => {
    await begin();
    terminal.type('\\d\n');
    const list = await terminal.see(/\(2 rows\)/);
    assert.match(list, /by_title \| materialized view\n fruit +\| table/);
    terminal.type('\\d fruit\n');
    await terminal.see(/weight +\| numeric/);
    terminal.type('\\dt\n');
    await terminal.see(/ fruit +\|/);
    terminal.type('\\dv\n');
    await terminal.see(/ by_title +\|/);
    await terminal.see(/millrace=> /);
    terminal.type('\\pset null [none]\n');
    await terminal.see(/Null display is "\[none\]"/);
    terminal.type('\\x\nselect weight from fruit where id = 2;\n');
    await terminal.see(/-\[ RECORD 1 \]-*\nweight \| \[none\]/);
    const file = join(folder, 'included.sql');
    writeFileSync(file, "\\x\nselect 'included' as x;");
    terminal.type(`\\i ${file}\n`);
    await terminal.see(/included\n\(1 row\)/);
    terminal.type('\\nonsense\n');
    await terminal.see(/invalid command \\nonsense/);
    terminal.type('\\?\n');
    await terminal.see(/\\watch \[SECONDS\]/);
  });

  it('watches until Ctrl-C', async () => {
    await begin();
    terminal.type("select 'watched' as w \\watch 0.2\n");
    await terminal.see(/\(every 0\.2s\)/);
    await terminal.see(/watched\n\(1 row\)/);
    await terminal.see(/watched\n\(1 row\)/);
    terminal.type(CONTROL_C);
    await terminal.see(/millrace=> /);
  });

  it('redraws a subscription in place until Ctrl-C', async () => {
    await begin();
    terminal.type('subscribe by_title;\n');
    await terminal.see(/pear +\| 1\n\(2 rows, 0 changes; Ctrl-C ends\)/);
    await server.sql("INSERT INTO fruit VALUES (3, 'plum', 3)");
    await terminal.see(/plum +\| 1\n\(3 rows, 1 changes; Ctrl-C ends\)/);
    terminal.type(CONTROL_C);
    await terminal.see(/millrace=> /);
    terminal.type("select 'after' as x;\n");
    await terminal.see(/after\n\(1 row\)/);
    await server.sql('DELETE FROM fruit WHERE id = 3; FLUSH');
  });

  it('copies rows that are typed, that stand in a script, and that are in files', async () => {
    await begin();
    terminal.type('create table copied (id int primary key, note text);\n');
    await terminal.see(/CREATE TABLE/);
    terminal.type('copy copied (id, note) from stdin;\n');
    await terminal.see(/>> /);
    terminal.type("1\tit's; \\\\ one\n2\t\\N\n\\.\n");
    await terminal.see(/COPY 2/);
    const script = join(folder, 'dump.sql');
    writeFileSync(
      script,
      'COPY copied FROM stdin;\n3\tthree\n\\.\n\nCOPY (SELECT * FROM copied ORDER BY id) TO STDOUT;\nCOPY copied FROM STDIN CSV;\n4,four',
    );
    terminal.type(`\\i ${script}\n`);
    await terminal.see(/COPY 1\n1\tit's; \\\\ one\n2\t\\N\n3\tthree\nCOPY 1\n/);
    const file = join(folder, 'copied.csv');
    terminal.type(
      `\\copy (select * from copied where id > 2 order by id) to '${file}' with (format csv, header)\n`,
    );
    await terminal.see(/millrace=> /);
    terminal.type('delete from copied where id > 2;\n');
    await terminal.see(/DELETE 2/);
    assert.equal(readFileSync(file, 'utf8'), 'id,note\n3,three\n4,four\n');
    terminal.type(`\\copy copied from ${file} csv header\n`);
    await terminal.see(/COPY 2/);
    terminal.type(`\\copy copied from ${file} csv\n`);
    await terminal.see(
      /ERROR: {2}invalid input syntax for type integer: "id"\n(.*\n)*?.*COPY copied, line 1, column id: "id"/,
    );
    terminal.type('\\copy copied from /nowhere/at/all\n');
    await terminal.see(/ENOENT/);
    terminal.type('select count(*) from copied;\n');
    await terminal.see(/ 4\n\(1 row\)/);
  });

  it('cancels a statement that runs', async () => {
    await begin();
    terminal.type(
      'select count(*) from generate_series(1, 100000) a, generate_series(1, 1000000) b;\n',
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    terminal.type(CONTROL_C);
    await terminal.see(/ERROR: {2}canceling statement due to user request/);
    terminal.type("select 'alive' as x;\n");
    await terminal.see(/alive\n\(1 row\)/);
  });
});
