import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { defaultLimits } from '../../server/limits.ts';
import { commandNames } from '../../server/repl/command.ts';
import { errorTable } from '../../sql/base/error.ts';

it('docs/errors.md lists every error code with its facts', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const lines = text.matchAll(/^\| `(\w+)` +\| (\w{5}) +\| (\d{3}) +\| (\w+) +\| .+ \|$/gm);
  const documented = new Map(
    Array.from(lines, ([, code, sqlstate, http, retry]) => [
      code,
      { sqlstate, http: Number(http), retry },
    ]),
  );
  assert.deepEqual(Object.fromEntries(documented), errorTable);
});

it('docs/http-api.md lists every limit with its default', () => {
  const text = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');
  const lines = text.matchAll(/^\| `(\w+Max)` +\| ([\d,]+) +\| .+ \|$/gm);
  const documented = Array.from(lines, ([, name, value = '']) => [
    name,
    Number(value.replaceAll(',', '')),
  ]);
  assert.deepEqual(Object.fromEntries(documented), defaultLimits);
});

it('docs/prompt.md lists every backslash command', () => {
  const text = readFileSync(new URL('../../docs/prompt.md', import.meta.url), 'utf8');
  const documented = Array.from(text.matchAll(/^\| `(\\\S+?)[ `]/gm), ([, name]) => name);
  assert.deepEqual(documented, [...commandNames]);
});
