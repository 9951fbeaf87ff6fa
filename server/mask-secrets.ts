/** Statements as they are shown: without passwords. */

const URL_PASSWORD = /([a-z][a-z0-9+]*:\/\/[^:@/?#\s']*):[^@\s']*@/gi;
const PASSWORD_OPTION = /('?[\w.]*password'?\s*=\s*)'(?:[^']|'')*'/gi;

export function maskSecrets(sql: string): string {
  return sql.replace(URL_PASSWORD, '$1:***@').replace(PASSWORD_OPTION, "$1'***'");
}
