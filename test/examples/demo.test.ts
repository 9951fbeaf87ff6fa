import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

const root = join(import.meta.dirname, '../..');
const demo = join(root, 'examples/demo/demo.ts');
/** The sources, so that the test needs no build. */
const server = ['--server', join(root, 'server/main.ts')];
const TIMEOUT_MS = 60_000;
const CONTROL_C = '\u0003';
const hasScript = spawnSync('script', ['--version']).status === 0;

function numberAfter(text: string, pattern: RegExp): number {
  const match = pattern.exec(text);
  assert.ok(match !== null, `${pattern} is not in:\n${text}`);
  return Number(match[1]?.replaceAll(',', ''));
}

describe('npm run demo', () => {
  it('shows blocks of numbers without a terminal, and ends by itself with a summary', {
    timeout: TIMEOUT_MS,
  }, () => {
    const args = [demo, '--seconds', '5', '--rate', '5000', ...server];
    const result = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
    assert.equal(result.stderr, '');
    assert.equal(result.status, 0);
    const { stdout } = result;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing but text where no terminal is.
    assert.doesNotMatch(stdout, /\u001b/);
    for (const view of ['hot_auctions', 'channels', 'closing_prices', 'windows']) {
      assert.match(stdout, new RegExp(`\\b${view} `));
    }
    const shown = stdout.split('\n').map((line) => line.length);
    assert.ok(Math.max(...shown) < 100, 'lines fit a terminal');
    const events = numberAfter(stdout, /^([\d,]+) events in [\d.]+ s/m);
    assert.ok(events > 5_000 && events < 50_000, `${events} events`);
    assert.match(stdout, /, 0 bad records, /);
    assert.ok(numberAfter(stdout, /after ([\d,.]+) ms \(p50\)/) > 0);
    assert.ok(numberAfter(stdout, /\(p99\), ([\d,]+) probes/) > 1);
  });

  it('redraws in place in a terminal; Ctrl-C gives the summary and exit code 0', {
    timeout: TIMEOUT_MS,
    skip: !hasScript,
  }, async () => {
    const command = [process.execPath, demo, '--rate', '2000', ...server].join(' ');
    const child = spawn('script', ['-qfec', `stty rows 24 cols 80; exec ${command}`, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let screen = '';
    let isInterrupted = false;
    child.stdout.on('data', (data) => {
      screen += String(data);
      const pictures = screen.split('\u001b[H').length - 1;
      if (pictures < 3 || isInterrupted) return;
      isInterrupted = true;
      child.stdin.write(CONTROL_C);
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0, screen);
    assert.equal(screen.split('\u001b[2J').length, 2, 'cleared once, then only overwritten');
    assert.ok(screen.lastIndexOf('\u001b[?25h') > screen.lastIndexOf('\u001b[?25l'), 'cursor back');
    const pictures = screen.split('\u001b[H').slice(1);
    for (const picture of pictures.slice(0, -1)) {
      const lines = stripVTControlCharacters(picture).replaceAll('\r', '').split('\n');
      assert.ok(lines.length <= 24, `${lines.length} lines`);
      for (const line of lines) assert.ok(line.length < 80, line);
    }
    assert.match(stripVTControlCharacters(screen), /events in [\d.]+ s: /);
  });

  it('refuses options that mean nothing', () => {
    for (const args of [
      ['--seconds', 'soon'],
      ['--rate', '0'],
      ['--speed', '9'],
    ]) {
      const result = spawnSync(process.execPath, [demo, ...args], { encoding: 'utf8' });
      assert.equal(result.status, 2);
      assert.match(result.stderr, /usage: npm run demo/);
    }
  });
});
