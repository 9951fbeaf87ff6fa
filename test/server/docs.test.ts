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

it('docs/limits.md lists every limit of the server with its default', () => {
  const lines = limitsPage().matchAll(/^\| `(\w+Max)` +\| ([\d,]+) +\| .+ \|$/gm);
  const documented = Array.from(lines, ([, name, value]) => [name, numberOf(value)]);
  assert.deepEqual(Object.fromEntries(documented), defaultLimits);
});

it('docs/limits.md tells the fixed limits as the sources have them', () => {
  const lines = limitsPage().matchAll(/^\| `([A-Z_]+)` +\| ([\d,]+) +\| `(\S+)` +\| .+ \|$/gm);
  let count = 0;
  for (const [, name, value, path] of lines) {
    const source = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const factors = new RegExp(`const ${name} = ([\\d_* ]+);`).exec(source)?.[1]?.split('*') ?? [];
    const product = factors.reduce((sum, part) => sum * Number(part.replaceAll('_', '')), 1);
    assert.ok(factors.length > 0, `${path} has a ${name}`);
    assert.equal(numberOf(value), product, `${name} in ${path}`);
    count++;
  }
  assert.ok(count > 20);
});

const limitsPage = (): string =>
  readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
const numberOf = (text = ''): number => Number(text.replaceAll(',', ''));

it('docs/prompt.md lists every backslash command', () => {
  const text = readFileSync(new URL('../../docs/prompt.md', import.meta.url), 'utf8');
  const documented = Array.from(text.matchAll(/^\| `(\\\S+?)[ `]/gm), ([, name]) => name);
  assert.deepEqual(documented, [...commandNames]);
});
