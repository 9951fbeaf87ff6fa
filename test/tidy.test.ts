import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { test } from 'node:test';

/** A folder may import the folders (or files) listed for it; see ARCHITECTURE.md, "Who may import whom". */
const ALLOWED: readonly (readonly [folder: string, imports: readonly string[]])[] = [
  ['sql/', ['sql/']],
  ['connectors/', ['connectors/', 'sql/']],
  ['engine/', ['engine/', 'sql/', 'connectors/connector.ts', 'connectors/registry.ts']],
  ['server/', ['server/', 'engine/', 'connectors/', 'sql/']],
  ['examples/', ['examples/', 'index.ts']],
  ['index.ts', ['server/', 'sql/', 'connectors/', 'engine/']],
  ['testing.ts', ['server/']],
];

/** Inside engine/ a folder imports only itself and folders of lower rank. */
const ENGINE_RANK: Readonly<Record<string, number>> = {
  delta: 0,
  kernel: 1,
  plan: 2,
  state: 2,
  operator: 3,
  store: 4,
  view: 5,
  runtime: 6,
};

/** npm packages with one home each. */
const PACKAGE_HOME: Readonly<Record<string, string>> = {
  '@duckdb/node-api': 'engine/store/',
  '@duckdb/node-bindings': 'engine/store/',
  '@platformatic/kafka': 'connectors/kafka/',
  pg: 'connectors/postgres/',
  'quickjs-emscripten-core': 'server/function/',
};

const SOURCES = globSync(['{sql,connectors,engine,server,examples}/**/*.ts', '{index,testing}.ts'])
  .map((path) => path.replaceAll('\\', '/'))
  .sort();

interface Import {
  readonly from: string;
  /** A path of this repository, or a package's name. */
  readonly to: string;
  readonly isPackage: boolean;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(/^\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'/gm)) {
    const name = match[1] as string;
    const isPackage = !name.startsWith('.');
    found.push({
      from: path,
      to: isPackage ? name : normalize(`${dirname(path)}/${name}`),
      isPackage,
    });
  }
  return found;
}

function complaint(found: Import): string | undefined {
  const { from, to, isPackage } = found;
  if (isPackage) {
    const home = PACKAGE_HOME[to];
    if (home !== undefined && !from.startsWith(home)) return `${from} may not import ${to}`;
    if (from.startsWith('sql/')) return `${from} may not import ${to}: sql/ is pure`;
    return undefined;
  }
  const rule = ALLOWED.find(([folder]) => from.startsWith(folder));
  if (rule !== undefined && !rule[1].some((prefix) => to.startsWith(prefix))) {
    return `${from} may not import ${to}`;
  }
  if (from.startsWith('engine/') && to.startsWith('engine/')) {
    const own = from.split('/')[1] as string;
    const other = to.split('/')[1] as string;
    if (own !== other && (ENGINE_RANK[other] ?? 99) >= (ENGINE_RANK[own] ?? 0)) {
      return `${from} may not import ${to}`;
    }
  }
  return undefined;
}

test('imports follow the data: sql <- connectors <- engine <- server', () => {
  const complaints = SOURCES.flatMap(importsOf)
    .map(complaint)
    .filter((text) => text !== undefined);
  assert.deepEqual(complaints, []);
});

test('every source file has its one home: no utils, no barrels, kebab-case names', () => {
  const odd = SOURCES.filter(
    (path) =>
      !/^[a-z0-9./-]+$/.test(path) ||
      /(^|\/)(utils?|helpers?|misc|common)\.ts$/.test(path) ||
      (path !== 'index.ts' && path.endsWith('/index.ts')),
  );
  assert.deepEqual(odd, []);
});
