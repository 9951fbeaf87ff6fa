/** CREATE TYPE, CREATE DOMAIN and ALTER TYPE as canonical SQL text. */

import type { Expression } from './ast.ts';
import type { AlterDomainAction, AlterTypeAction } from './ast-alter.ts';
import type { Statement } from './ast-statement.ts';
import { assertNever } from './base/assert.ts';
import { identifierText, nameText, quoteString, typeText, words } from './deparse-name.ts';

type Kind<Name extends Statement['kind']> = Extract<Statement, { kind: Name }>;

export function typeActionText(action: AlterTypeAction): string {
  switch (action.kind) {
    case 'add-value':
      return words(
        'ADD VALUE',
        action.ifNotExists && 'IF NOT EXISTS',
        quoteString(action.label),
        action.neighbor?.side.toUpperCase(),
        action.neighbor && quoteString(action.neighbor.label),
      );
    case 'rename-value':
      return `RENAME VALUE ${quoteString(action.from)} TO ${quoteString(action.to)}`;
    case 'rename':
      return `RENAME TO ${identifierText(action.to)}`;
    case 'set-schema':
      return `SET SCHEMA ${identifierText(action.to)}`;
    default:
      return assertNever(action);
  }
}

export function definitionText({ definition }: Kind<'create-type'>): string {
  switch (definition.kind) {
    case 'enum':
      return `ENUM (${definition.labels.map(quoteString).join(', ')})`;
    case 'composite':
      return `(${definition.fields.map((field) => `${identifierText(field.name)} ${typeText(field.type)}`).join(', ')})`;
    case 'alias':
      return typeText(definition.type);
    default:
      return assertNever(definition);
  }
}

export function domainText(
  statement: Kind<'create-domain'>,
  write: (expression: Expression) => string,
): string {
  const checks = statement.checks.map(({ name, expression }) =>
    words(name && `CONSTRAINT ${identifierText(name)}`, `CHECK (${write(expression)})`),
  );
  return words(
    'CREATE DOMAIN',
    nameText(statement.name),
    'AS',
    typeText(statement.type),
    statement.default && `DEFAULT ${write(statement.default)}`,
    statement.notNull && 'NOT NULL',
    ...checks,
  );
}

export function domainActionText(
  action: AlterDomainAction,
  write: (expression: Expression) => string,
): string {
  switch (action.kind) {
    case 'set-default':
      return action.default === undefined ? 'DROP DEFAULT' : `SET DEFAULT ${write(action.default)}`;
    case 'set-not-null':
      return 'SET NOT NULL';
    case 'drop-not-null':
      return 'DROP NOT NULL';
    case 'add-check':
      return words(
        'ADD',
        action.name && `CONSTRAINT ${identifierText(action.name)}`,
        `CHECK (${write(action.expression)})`,
      );
    case 'drop-constraint':
      return words('DROP CONSTRAINT', action.ifExists && 'IF EXISTS', identifierText(action.name));
    case 'validate-constraint':
      return `VALIDATE CONSTRAINT ${identifierText(action.name)}`;
    case 'rename-constraint':
      return `RENAME CONSTRAINT ${identifierText(action.name)} TO ${identifierText(action.to)}`;
    case 'rename':
      return `RENAME TO ${identifierText(action.to)}`;
    default:
      return assertNever(action);
  }
}
