import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { bundledNode, isOldNode } from '../../server/node-version.ts';
import { type Served, serve } from './serve.ts';

const main = join(import.meta.dirname, '../../server/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));

let server: Served;
before(async () => {
  server = await serve();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function millrace(args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, MILLRACE_URL: server.url },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += String(data);
  });
  child.stderr.on('data', (data) => {
    err += String(data);
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

describe('command line', () => {
  it('refuses bad options with the usage and exit code 2', async () => {
    for (const args of [['start', '--http', 'x'], ['start', '--nope'], ['bogus'], ['run']]) {
      const { code, err } = await millrace(args);
      assert.equal(code, 2, args.join(' '));
      assert.match(err, /Usage: millrace/);
    }
    assert.equal((await millrace(['--help'])).code, 0);
  });

  it('prints one line when it serves, commits and stops on SIGTERM', async () => {
    const data = join(folder, 'data');
    const child = spawn(process.execPath, [main, 'start', '--http', '127.0.0.1:0', '--data', data]);
    let out = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        out += String(chunk);
        if (out.includes('\n')) resolve();
      });
    });
    assert.match(out, /^millrace ready http=127\.0\.0\.1:\d+ pg=\S+ data=\S+\n$/);
    const url = `http://${/http=(\S+)/.exec(out)?.[1]}`;
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    child.kill('SIGTERM');
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    assert.equal(code, 0);
  });

  it('runs scripts up to the first error', async () => {
    const good = join(folder, 'good.sql');
    writeFileSync(
      good,
      'CREATE TABLE c (a int PRIMARY KEY);\nINSERT INTO c VALUES (1), (2);\nSELECT a FROM c ORDER BY a',
    );
    const ran = await millrace(['run', good, '--url', server.url]);
    assert.deepEqual([ran.code, ran.err], [0, '']);
    assert.match(ran.out, /INSERT 0 2\n a \n---\n 1\n 2\n\(2 rows\)\n/);

    const bad = join(folder, 'bad.sql');
    writeFileSync(bad, 'SELECT 1;\n\nSELECT nope\nFROM c;\nSELECT 3;');
    const failed = await millrace(['run', bad]);
    assert.equal(failed.code, 1);
    assert.match(
      failed.err,
      /bad\.sql:3: ERROR: {2}column "nope" does not exist\nLINE 1: SELECT nope\n {15}\^\n/,
    );
    assert.doesNotMatch(failed.out, /3/);
    assert.equal((await millrace(['run', join(folder, 'none.sql')])).code, 1);
    assert.equal((await millrace(['run', good, '--url', 'http://127.0.0.1:1'])).code, 2);
  });

  it('takes statements from a pipe as psql does', async () => {
    const { code, out, err } = await millrace(
      ['sql'],
      "select 1 as x;\nselect nope;\n\\x\nselect 'a' as b",
    );
    assert.equal(code, 0);
    assert.equal(out, ' x \n---\n 1\n(1 row)\n\nExpanded display is on.\n-[ RECORD 1 ]\nb | a\n\n');
    assert.match(err, /^ERROR: {2}column "nope" does not exist\nLINE 1: select nope\n {15}\^\n/);
  });
});

describe('old Node versions', () => {
  it('are told from those that run Millrace', () => {
    assert.deepEqual(['18.20.0', '20.20.2', '22.21.9', '22.22.0', '24.0.0'].map(isOldNode), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('find the Node that came with the package', () => {
    const node = bundledNode(import.meta.dirname);
    if (node === undefined) return;
    assert.match(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout, /^v2[2-9]\./);
  });

  it('leave no child behind when they are killed, even one that computes', async () => {
    const modules = pathToFileURL(join(import.meta.dirname, '../../server/')).href;
    const child = `import { watchLifeline } from '${modules}lifeline.ts';
      watchLifeline(process.env);
      process.stdout.write(process.pid + '\\n');
      setTimeout(() => { for (;;); }, 300);`;
    const parent = `import { runInPlace } from '${modules}node-version.ts';
      runInPlace(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}]);`;
    const started = spawn(process.execPath, ['--input-type=module', '-e', parent], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(started.stdout, 'data');
    const pid = Number(String(line));
    await sleep(800);
    assert.equal(isAlive(pid), true);
    started.kill('SIGKILL');
    const deadline = performance.now() + 5_000;
    while (isAlive(pid) && performance.now() < deadline) await sleep(20);
    assert.equal(isAlive(pid), false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
